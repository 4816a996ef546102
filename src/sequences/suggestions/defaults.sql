-- Defaults that draw from a sequence without a dependency on it: by a text that is looked up at each insert, or by a function
-- whose SQL body PostgreSQL records (version 14 and newer), or whose text calls nextval. And those of views, which store no ids.
WITH columns AS (
    SELECT ad.oid AS "default", ad.adbin::text AS expression, n.nspname::text AS schema, r.relname::text AS "table",
           a.attname::text AS "column"
    FROM pg_catalog.pg_attrdef ad
    JOIN pg_catalog.pg_class r ON r.oid = ad.adrelid AND r.relkind IN ('r', 'p') AND r.relpersistence <> 't'
    JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
)
SELECT c.schema, c."table", c."column", c.expression, NULL::text AS function, NULL::text AS sequence_schema, NULL::text AS sequence_name,
       NULL::text AS view, NULL::text AS body
FROM columns c
-- 1574 is nextval, 1079 the cast from text to regclass.
WHERE c.expression LIKE '%:funcid 1574 %' AND c.expression LIKE '%:funcid 1079 %'
UNION ALL
SELECT c.schema, c."table", c."column", NULL,
       quote_ident(pn.nspname) || '.' || quote_ident(p.proname) || '()', sn.nspname::text, s.relname::text, NULL, NULL
FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_depend body ON body.refclassid = 'pg_catalog.pg_class'::regclass AND body.refobjid = q.seqrelid
                              AND body.classid = 'pg_catalog.pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = body.objid
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = p.oid
                           AND d.classid = 'pg_catalog.pg_attrdef'::regclass
JOIN columns c ON c."default" = d.objid
UNION ALL
SELECT c.schema, c."table", c."column", NULL,
       quote_ident(pn.nspname) || '.' || quote_ident(p.proname) || '()', NULL, NULL, NULL, p.prosrc
FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.pronamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_proc'::regclass AND d.refobjid = p.oid
                           AND d.classid = 'pg_catalog.pg_attrdef'::regclass
JOIN columns c ON c."default" = d.objid
WHERE p.oid >= 16384 AND p.prosrc ILIKE '%nextval%'
UNION ALL
-- The column of the same name in the one table that has it, among those that the view reads.
SELECT min(n.nspname), min(r.relname), min(a.attname), NULL, NULL, min(sn.nspname), min(s.relname),
       min(quote_ident(vn.nspname) || '.' || quote_ident(v.relname)), NULL
FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = q.seqrelid
                           AND d.classid = 'pg_catalog.pg_attrdef'::regclass
JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
JOIN pg_catalog.pg_class v ON v.oid = ad.adrelid AND v.relkind = 'v'
JOIN pg_catalog.pg_namespace vn ON vn.oid = v.relnamespace
JOIN pg_catalog.pg_attribute va ON va.attrelid = v.oid AND va.attnum = ad.adnum
JOIN pg_catalog.pg_rewrite w ON w.ev_class = v.oid AND w.ev_type = '1'
JOIN pg_catalog.pg_depend read ON read.classid = 'pg_catalog.pg_rewrite'::regclass AND read.objid = w.oid
                              AND read.refclassid = 'pg_catalog.pg_class'::regclass AND read.refobjsubid > 0
JOIN pg_catalog.pg_class r ON r.oid = read.refobjid AND r.relkind IN ('r', 'p') AND r.relpersistence <> 't'
JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = read.refobjsubid AND a.attname = va.attname
GROUP BY q.seqrelid, v.oid, va.attnum
HAVING count(DISTINCT r.oid) = 1
