-- The first of these tables, or of their partitions and children, that is being vacuumed or analyzed, and which of both.
-- @TABLES@: OIDs.
WITH RECURSIVE tree (rel) AS (
    SELECT * FROM unnest('{@TABLES@}'::oid[])
  UNION
    SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.rel
)
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname), w.what
FROM (
    SELECT p.relid, 'vacuumed' AS what FROM pg_catalog.pg_stat_progress_vacuum p
    WHERE p.datname = pg_catalog.current_database()
  UNION ALL
    SELECT p.relid, 'analyzed' FROM pg_catalog.pg_stat_progress_analyze p
    WHERE p.datname = pg_catalog.current_database()
) AS w
JOIN tree t ON t.rel = w.relid
JOIN pg_catalog.pg_class c ON c.oid = w.relid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
ORDER BY w.relid
LIMIT 1
