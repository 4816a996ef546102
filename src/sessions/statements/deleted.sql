-- How many rows of the table and its partitions this server process has deleted and not yet reported.
SELECT coalesce(sum(pg_catalog.pg_stat_get_xact_tuples_deleted(r.oid)), 0)
FROM unnest(@OIDS@) AS r (oid)
