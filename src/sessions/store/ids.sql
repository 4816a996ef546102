-- The columns of the table whose ids come from a sequence: by ownership (serial, identity), by a default, also one that names
-- its sequence by a text, or because the configuration says so. One row for each column and sequence.
-- @DECLARED@: rows of a schema, a sequence and a column, each after a comma.
WITH RECURSIVE
store AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
),
tree (rel) AS (
    SELECT s.oid FROM store s
  UNION
    SELECT i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.rel
),
links (seq, rel, att, counts) AS (
    SELECT d.objid, d.refobjid, d.refobjsubid, true
    FROM tree t
    JOIN pg_catalog.pg_depend d ON d.refobjid = t.rel
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION
    SELECT d.refobjid, ad.adrelid, ad.adnum::integer, true
    FROM tree t
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = t.rel
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
  UNION
    SELECT coalesce(to_regclass(v.name), to_regclass(quote_ident(n.nspname) || '.' || v.name))::oid, ad.adrelid,
           ad.adnum::integer, false
    FROM tree t
    JOIN pg_catalog.pg_class c ON c.oid = t.rel
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = t.rel
    CROSS JOIN LATERAL (
        SELECT replace(found[1], '''''', '''') AS name
        FROM regexp_match(pg_get_expr(ad.adbin, ad.adrelid), $$nextval\(\('((?:[^']|'')+)'::text\)::regclass\)$$) AS found
    ) v
  UNION
    SELECT c.oid, s.oid, a.attnum::integer, true
    FROM (VALUES (NULL, NULL, NULL)@DECLARED@) AS f (schema, name, attname)
    JOIN pg_catalog.pg_namespace n ON n.nspname = f.schema
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = f.name AND c.relkind = 'S'
    CROSS JOIN store s
    JOIN pg_catalog.pg_attribute a ON a.attrelid = s.oid AND a.attname = f.attname AND NOT a.attisdropped
)
SELECT quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS sequence,
       quote_ident(sn.nspname) AS sequence_schema,
       quote_ident(a.attname) AS column,
       q.seqincrement < 0 AS is_descending,
       pg_catalog.pg_has_role(s.relowner, 'USAGE') AND bool_or(l.counts) AS is_approvable,
       pg_catalog.has_schema_privilege(sn.oid, 'USAGE') AS may_enter,
       pg_catalog.has_sequence_privilege(s.oid, 'SELECT') AS may_read_sequence,
       pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS may_read_column
FROM links l
JOIN pg_catalog.pg_sequence q ON q.seqrelid = l.seq AND NOT q.seqcycle
JOIN pg_catalog.pg_class s ON s.oid = l.seq
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_attribute la ON la.attrelid = l.rel AND la.attnum = l.att
-- A partition's column has the name of its parent's.
CROSS JOIN store st
JOIN pg_catalog.pg_attribute a ON a.attrelid = st.oid AND a.attname = la.attname
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
-- Numbers only: a text that is built from a value cannot be compared with it.
WHERE CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END IN (20, 21, 23, 1700)
GROUP BY s.oid, s.relname, s.relowner, sn.oid, sn.nspname, a.attrelid, a.attnum, a.attname, q.seqincrement
ORDER BY sequence, 3
