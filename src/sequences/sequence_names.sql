-- The names that patterns of declared feeds are compared with.
SELECT n.nspname::text, s.relname::text FROM pg_catalog.pg_class s
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
WHERE s.relkind = 'S' AND s.relpersistence <> 't'
