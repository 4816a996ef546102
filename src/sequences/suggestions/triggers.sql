-- Row triggers before INSERT whose function's text calls nextval, each with its table and the table's key where that is one
-- column.
SELECT n.nspname::text AS schema, r.relname::text AS "table", t.tgname::text AS trigger, p.proname::text AS function,
       p.prosrc AS body,
       (SELECT a.attname::text
        FROM pg_catalog.pg_index x
        JOIN pg_catalog.pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
        WHERE x.indrelid = r.oid AND x.indisprimary AND x.indnkeyatts = 1) AS key
FROM pg_catalog.pg_trigger t
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid AND p.prosrc ILIKE '%nextval%'
JOIN pg_catalog.pg_class r ON r.oid = t.tgrelid AND r.relkind IN ('r', 'p') AND NOT r.relispartition
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
-- The bits of tgtype: 1 for each row, 2 before, 4 on INSERT.
WHERE NOT t.tgisinternal AND t.tgtype::integer & 7 = 7
