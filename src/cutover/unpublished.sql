-- Tables whose columns draw from sequences, and that no subscribed publication has: those that are logged, and those that
-- are not, which are never sent; with a publication that can take them. A partition is published with its root, and a root
-- by its partitions. @PUBLICATIONS@ and @TABLES@: arrays of text, the publications, and what the subscriptions have,
-- always quoted.
WITH RECURSIVE published AS (
    SELECT c.oid AS rel
    FROM pg_catalog.pg_publication_tables t
    JOIN pg_catalog.pg_namespace n ON n.nspname = t.schemaname
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
    WHERE t.pubname::text = ANY (@PUBLICATIONS@::text[])
),
fed AS (
    SELECT d.refobjid AS rel
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seqrelid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION
    SELECT f.adrelid
    FROM pg_catalog.pg_sequence s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.seqrelid
    JOIN pg_catalog.pg_attrdef f ON f.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass
),
-- All of these with their partitions. pg_partition_tree() would lock every one.
trees (rel, is_published) AS (
    (SELECT rel, false FROM fed UNION ALL SELECT rel, true FROM published)
  UNION
    SELECT i.inhrelid, t.is_published
    FROM trees t
    JOIN pg_catalog.pg_class c ON c.oid = t.rel AND c.relkind = 'p'
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.rel
),
unpublished AS (
    SELECT rel FROM trees GROUP BY rel HAVING NOT bool_or(is_published)
),
tables AS (
    SELECT c.relpersistence, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS name,
           format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""')) AS quoted
    FROM unpublished u
    JOIN pg_catalog.pg_class c ON c.oid = u.rel AND c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND n.nspname <> 'pgmedic'
    WHERE NOT EXISTS (
        SELECT FROM pg_catalog.pg_depend e
        WHERE e.classid = 'pg_catalog.pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e')
)
SELECT t.relpersistence = 'p' AS logged, array_agg(t.name ORDER BY t.name) AS names,
       (SELECT min(p.pubname::text) FROM pg_catalog.pg_publication p
        WHERE p.pubname::text = ANY (@PUBLICATIONS@::text[]) AND NOT p.puballtables) AS publication
FROM tables t
WHERE t.quoted NOT IN (SELECT unnest(@TABLES@::text[]))
GROUP BY 1
ORDER BY 1 DESC
