-- The tables by whose names a statement concerns a sequence: those it feeds, the one that owns it, and those below and above
-- them.
-- $1, $2, $3: a sequence's OID, the OID of a table that it feeds, and the column, quoted.
WITH RECURSIVE
fed AS (
    SELECT f.sequence::pg_catalog.oid AS sequence, a.attrelid AS rel, a.attname
    FROM ROWS FROM (pg_catalog.unnest($1), pg_catalog.unnest($2), pg_catalog.unnest($3)) AS f (sequence, rel, attname)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.rel::pg_catalog.oid AND a.attnum > 0
         AND pg_catalog.quote_ident(a.attname) = f.attname
    UNION
    SELECT d.objid, d.refobjid, a.attname
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = ANY ($1::pg_catalog.oid[])
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
),
below AS (
    SELECT sequence, rel, attname FROM fed
    UNION
    SELECT b.sequence, h.inhrelid, b.attname FROM below b JOIN pg_catalog.pg_inherits h ON h.inhparent = b.rel
),
above AS (
    SELECT f.sequence, h.inhparent AS rel, f.attname FROM fed f JOIN pg_catalog.pg_inherits h ON h.inhrelid = f.rel
    UNION
    SELECT a.sequence, h.inhparent, a.attname FROM above a JOIN pg_catalog.pg_inherits h ON h.inhrelid = a.rel
),
named AS (
    SELECT sequence, rel, attname, true AS certain FROM below
    UNION ALL
    SELECT a.sequence, a.rel, a.attname, false FROM above a
    WHERE NOT EXISTS (SELECT FROM below b WHERE b.sequence = a.sequence AND b.rel = a.rel)
)
SELECT r.sequence::pg_catalog.int8, r.rel::pg_catalog.int8, n.nspname::pg_catalog.text, c.relname::pg_catalog.text,
       -- An unqualified name means this relation in any search_path.
       (SELECT pg_catalog.count(*) = 1 FROM pg_catalog.pg_class o
        WHERE o.relname = c.relname AND o.relkind IN ('r', 'p', 'v', 'm', 'f')) AS only_one,
       r.attname::pg_catalog.text,
       (SELECT pg_catalog.count(*) FROM pg_catalog.pg_attribute b
        WHERE b.attrelid = r.rel AND b.attnum BETWEEN 1 AND a.attnum AND NOT b.attisdropped) AS place,
       r.certain
FROM named r
JOIN pg_catalog.pg_class c ON c.oid = r.rel
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = r.rel AND a.attname = r.attname AND NOT a.attisdropped
LIMIT 20000
