-- The foreign keys that refer to the table of a session store, each with its definition if it had ON DELETE CASCADE.
SELECT quote_ident(cn.nspname) || '.' || quote_ident(c.relname) AS child,
       c.relkind = 'p' AS is_partitioned,
       k.conrelid = k.confrelid AS is_same_table,
       quote_ident(k.conname) AS name,
       own.columns,
       k.confdeltype IN ('a', 'r') AS stops_deletion,
       EXISTS (SELECT FROM pg_index i
               WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND i.indkey[0] = ANY (k.conkey)) AS is_indexed,
       format('FOREIGN KEY (%s) REFERENCES %I.%I (%s)%s%s ON DELETE CASCADE%s%s%s',
              own.columns, n.nspname, s.relname, referenced.columns,
              CASE k.confmatchtype WHEN 'f' THEN ' MATCH FULL' END,
              CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT'
                                 WHEN 'c' THEN ' ON UPDATE CASCADE'
                                 WHEN 'n' THEN ' ON UPDATE SET NULL'
                                 WHEN 'd' THEN ' ON UPDATE SET DEFAULT' END,
              CASE WHEN k.condeferrable THEN ' DEFERRABLE' END,
              CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' END,
              CASE WHEN NOT k.convalidated THEN ' NOT VALID' END) AS cascading_definition
FROM pg_namespace n
JOIN pg_class s ON s.relnamespace = n.oid
JOIN pg_constraint k ON k.confrelid = s.oid
JOIN pg_class c ON c.oid = k.conrelid
JOIN pg_namespace cn ON cn.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) AS columns
    FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
) AS own
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) AS columns
    FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
    JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
) AS referenced
-- A partition's copy of its parent's constraint has a parent, and goes with it.
WHERE n.nspname = @SCHEMA@ AND s.relname = @TABLE@ AND k.contype = 'f' AND k.conparentid = 0
ORDER BY child, name
