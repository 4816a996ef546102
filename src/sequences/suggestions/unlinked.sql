-- The sequences without a link in the catalog: no column owns them, and no default names them.
SELECT n.nspname::text AS schema, s.relname::text AS name, q.seqincrement AS increment
FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid AND s.relpersistence <> 't'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
WHERE NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = q.seqrelid AND d.deptype IN ('a', 'i')
      AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid > 0)
  AND NOT EXISTS (
    SELECT FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = q.seqrelid
      AND d.classid IN ('pg_catalog.pg_attrdef'::regclass, 'pg_catalog.pg_type'::regclass))
ORDER BY n.nspname, s.relname
