-- The columns that each sequence feeds, by the catalog. The expression is null where no default draws from the sequence.
-- Each part is found by an index, both from the sequence and from the column: a login asks for one of 10 000.
SELECT seq, rel, att, bool_or(owned) AS owned, bool_or(identity) AS identity, max(expression) AS expression
FROM (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att, true AS owned, d.deptype = 'i' AS identity,
           NULL::text AS expression
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION ALL
    -- With the table's OID, pg_get_expr() would lock the table; without it, it can print what names no column. A generated column
    -- does, and draws from no sequence.
    SELECT d.refobjid, ad.adrelid, ad.adnum::integer, false, false, pg_catalog.pg_get_expr(ad.adbin, 0)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
    JOIN pg_catalog.pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum AND a.attgenerated = ''
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjsubid = 0
  UNION ALL
    -- The column's type is a domain whose default draws from the sequence.
    SELECT d.refobjid, a.attrelid, a.attnum::integer, false, false, pg_catalog.pg_get_expr(t.typdefaultbin, 0)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'd'
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    JOIN pg_catalog.pg_depend u ON u.refclassid = 'pg_catalog.pg_type'::regclass AND u.refobjid = t.oid
                               AND u.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_attribute a ON a.attrelid = u.objid AND a.attnum = u.objsubid AND a.atttypid = t.oid
                                  AND NOT a.atthasdef AND NOT a.attisdropped AND a.attidentity = '' AND a.attnum > 0
    JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f')
    WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
) AS links
GROUP BY seq, rel, att
