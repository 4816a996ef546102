-- The table of a session store, and what the connected role may do with it.
SELECT c.relkind::text AS kind,
       quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
       quote_ident(n.nspname) AS schema,
       quote_ident(pg_get_userbyid(c.relowner)) AS owner,
       c.relhassubclass AS has_children,
       members.foreign_part,
       members.oids,
       c.relrowsecurity AS row_security,
       row_security_active(c.oid) AS hides_rows,
       has_schema_privilege(n.oid, 'USAGE') AS may_use_schema,
       has_table_privilege(c.oid, 'DELETE') AS may_delete,
       has_any_column_privilege(c.oid, 'UPDATE') AS may_update_some_column,
       -- A view has no such columns, and asking for their privileges would be an error.
       CASE WHEN c.relkind IN ('r', 'p') THEN has_column_privilege(c.oid, 'ctid', 'SELECT') ELSE false END AS may_read_ctid,
       CASE WHEN c.relkind IN ('r', 'p') THEN has_column_privilege(c.oid, 'tableoid', 'SELECT') ELSE false END AS may_read_tableoid
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
-- The table with its partitions and children.
CROSS JOIN LATERAL (
    WITH RECURSIVE tree (oid) AS (
        SELECT c.oid
      UNION
        SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
    )
    SELECT array_agg(m.oid::bigint) AS oids,
           min(m.oid::regclass::text) FILTER (WHERE m.relkind = 'f' AND m.oid <> c.oid) AS foreign_part
    FROM tree t JOIN pg_class m ON m.oid = t.oid
) AS members
WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@ AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
