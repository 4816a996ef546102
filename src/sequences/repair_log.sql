-- Whether pgmedic.repair_log may be written to, read and believed, and whose it is. Any role may have created a table of that
-- name, and its triggers would run with the agent's rights. So it must be exactly as `pgmedic sql install` creates it.
SELECT c.relowner::bigint AS owner,
       quote_ident(o.rolname) AS owner_name,
       n.nspowner = c.relowner AS one_owner,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AS readable,
       -- Whether the values that it tells of every sequence are believed, or those of its owner's sequences alone.
       n.nspowner = c.relowner AND (o.rolsuper OR o.oid = me.oid) AS believed,
       -- Whose entries count: a superuser's, the database owner's, and those of a role that this one belongs to. Of another
       -- owner, only the entries about that owner's sequences.
       n.nspowner = c.relowner
       AND (o.rolsuper OR o.oid = d.datdba OR o.oid = me.oid
            OR NOT me.rolsuper AND pg_has_role(me.oid, o.oid, 'MEMBER')) AS trusted,
       has_schema_privilege(n.oid, 'USAGE')
       AND has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
       AND has_table_privilege(c.oid, 'DELETE')
       AND COALESCE((SELECT bool_or(has_column_privilege(c.oid, a.attnum, 'UPDATE')) FROM pg_attribute a
                     WHERE a.attrelid = c.oid AND a.attname = 'counted'), false) AS allowed,
       c.relkind = 'r' AND NOT c.relispartition
       -- No code that runs for a row or a statement.
       AND NOT c.relhastriggers AND NOT c.relhasrules AND NOT c.relrowsecurity
       AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype NOT IN ('n', 'p', 'u'))
       -- No code that runs when an index is updated or a statement is planned.
       AND NOT EXISTS (SELECT FROM pg_index i
                       WHERE i.indrelid = c.oid AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL))
       AND NOT EXISTS (SELECT FROM pg_index i, unnest(i.indclass::oid[]) AS used
                       JOIN pg_opclass o ON o.oid = used
                       WHERE i.indrelid = c.oid AND o.opcnamespace <> 'pg_catalog'::regnamespace)
       AND NOT EXISTS (SELECT FROM pg_statistic_ext s WHERE s.stxrelid = c.oid)
       -- The installed columns, of built-in types, none of them generated.
       AND COALESCE((SELECT array_agg(a.attname || ' ' || a.atttypid::regtype ORDER BY a.attname) =
                   ARRAY['at timestamp with time zone', 'cause text', 'charged bigint', 'counted boolean',
                         'early boolean', 'evidence jsonb', 'from_value bigint', 'outcome text', 'role name',
                         'sequence text', 'sequence_oid oid', 'source text', 'to_value bigint']
                   AND bool_and(a.attgenerated = '')
            FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped), false) AS plain
FROM pg_class c
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles o ON o.oid = c.relowner
JOIN pg_database d ON d.datname = current_database()
JOIN pg_roles me ON me.rolname = current_user
WHERE n.nspname = 'pgmedic' AND c.relname = 'repair_log'
