-- How many rows of the table and its partitions this server process has deleted or updated and not yet reported.
SELECT coalesce(sum(@COUNTED@), 0)
FROM unnest(@OIDS@) AS r (oid)
