-- Columns of whole numbers without a default, in the schemas @SCHEMAS@: those that are a unique key by themselves, and those
-- of names that say what they are.
SELECT n.nspname::text AS schema, r.relname::text AS "table", a.attname::text AS "column", k.attnum IS NOT NULL AS is_key
FROM pg_catalog.pg_class r
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.atthasdef
                              AND a.attidentity = ''
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN (
    SELECT DISTINCT x.indrelid, x.indkey[0] AS attnum
    FROM pg_catalog.pg_index x
    WHERE x.indisunique AND x.indnkeyatts = 1 AND x.indpred IS NULL
) AS k ON k.indrelid = r.oid AND k.attnum = a.attnum
WHERE r.relkind IN ('r', 'p') AND NOT r.relispartition AND r.relpersistence <> 't'
  AND n.nspname = ANY (ARRAY[@SCHEMAS@]::name[])
  -- int8, int2, int4, numeric, and domains of them
  AND CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END IN (20, 21, 23, 1700)
  AND (k.attnum IS NOT NULL OR a.attname::text IN ('id', 'stream_id', 'stream_ordering'))
LIMIT 200000
