-- The tables of which this server process has deleted rows and not yet reported it, with their number, by OID.
SELECT coalesce(jsonb_object_agg(d.rel, d.rows), '{}')
FROM (
    SELECT c.oid AS rel, pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS rows
    FROM pg_catalog.pg_class c
    WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND c.oid >= 16384
) AS d
WHERE d.rows > 0
