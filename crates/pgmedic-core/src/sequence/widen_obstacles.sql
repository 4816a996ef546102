-- What keeps PostgreSQL from changing the type of a column in place, one row for each: a phrase with a place for the name of
-- an object, and that object; none where the phrase has no place for one. Columns (rel, att, phrase, classid, objid, objsubid).
    SELECT d.refobjid AS rel, d.refobjsubid AS att, '%s uses it' AS phrase, d.classid, d.objid, d.objsubid
    FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid >= 16384 AND d.refobjsubid > 0
      AND d.classid IN ('pg_catalog.pg_rewrite'::regclass, 'pg_catalog.pg_trigger'::regclass,
                        'pg_catalog.pg_policy'::regclass, 'pg_catalog.pg_proc'::regclass,
                        'pg_catalog.pg_publication_rel'::regclass)
  UNION ALL
    -- Version 15 and newer: its expression depends on the column, else the generated column itself does.
    SELECT g.attrelid, d.refobjsubid, 'generated %s uses it', 'pg_catalog.pg_class'::regclass, g.attrelid, g.attnum
    FROM pg_catalog.pg_attribute g
    JOIN pg_catalog.pg_attrdef e ON e.adrelid = g.attrelid AND e.adnum = g.attnum
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = g.attrelid
                               AND d.refobjsubid > 0 AND d.refobjsubid <> g.attnum
                               AND (d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid
                                    OR d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = g.attrelid
                                       AND d.objsubid = g.attnum)
    WHERE g.attgenerated <> ''
  UNION ALL
    SELECT p.partrelid, k.att::integer, 'it is a partition key', 0, 0, 0
    FROM pg_catalog.pg_partitioned_table p
    CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k (att)
    WHERE k.att > 0
  UNION ALL
    -- An expression of it is one. Of the stored form, the columns' numbers are looked at.
    SELECT p.partrelid, v.match[1]::integer, 'it is a partition key', 0, 0, 0
    FROM pg_catalog.pg_partitioned_table p
    CROSS JOIN LATERAL pg_catalog.regexp_matches(p.partexprs::text, ':varattno ([0-9]+)', 'g') AS v (match)
  UNION ALL
    SELECT c.oid, a.attnum, 'its table is a typed table', 0, 0, 0
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.reloftype <> 0
  UNION ALL
    SELECT c.oid, a.attnum, '%s has the row type of its table', d.classid, d.objid, d.objsubid
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_class u ON u.oid = d.objid AND u.relkind IN ('r', 'p', 'm')
    JOIN pg_catalog.pg_type t ON t.oid = d.refobjid
    JOIN pg_catalog.pg_type e ON e.oid = CASE WHEN t.typcategory = 'A' THEN t.typelem ELSE t.oid END AND e.typtype = 'c'
    JOIN pg_catalog.pg_class c ON c.oid = e.typrelid AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE d.refclassid = 'pg_catalog.pg_type'::regclass AND d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid > 0
