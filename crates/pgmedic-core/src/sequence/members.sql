-- The partitions and children of table @ROOT@ that store rows, and the table itself if it does, without the tables in
-- @LEFT_OUT@; column @COLUMN@ of each. All are constants; the column's name is quoted as an identifier.
WITH RECURSIVE tree (root, member) AS (
    SELECT @ROOT@::oid, @ROOT@::oid
  UNION
@PARTITION_STEP@
)
SELECT
    c.oid::bigint AS oid,
    quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
    -- Itself and its indexes.
    1 + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid) AS relations,
    has_schema_privilege(n.oid, 'USAGE') AS may_enter,
    has_column_privilege(c.oid, a.attnum, 'SELECT') AS may_read,
    row_security_active(c.oid) AS hides_rows,
    quote_ident(n.nspname) AS schema
FROM tree t
JOIN pg_catalog.pg_class c ON c.oid = t.member AND c.relkind = 'r' AND c.relpersistence <> 't'
                          AND c.oid <> ALL ('{@LEFT_OUT@}'::oid[])
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND quote_ident(a.attname) = @COLUMN@
ORDER BY c.oid
