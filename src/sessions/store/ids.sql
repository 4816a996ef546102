-- The columns of the table whose ids come from a sequence: by ownership (serial, identity) or by a default. One row for each
-- column and sequence.
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
links (seq, rel, att) AS (
    SELECT d.objid, d.refobjid, d.refobjsubid
    FROM tree t
    JOIN pg_catalog.pg_depend d ON d.refobjid = t.rel
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION
    SELECT d.refobjid, ad.adrelid, ad.adnum::integer
    FROM tree t
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = t.rel
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
)
SELECT DISTINCT quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS sequence,
       quote_ident(sn.nspname) AS sequence_schema,
       quote_ident(a.attname) AS column,
       q.seqincrement < 0 AS is_descending,
       pg_catalog.pg_has_role(s.relowner, 'USAGE') AS is_owner,
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
ORDER BY sequence, 3
