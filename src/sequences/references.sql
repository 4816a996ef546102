-- The columns that reference fed columns by foreign keys, and those that reference these in turn: where an id must fit too.
-- One row for each fed column and referencing one, the nearest first.
-- $1 the tables' OIDs, $2 the columns, quoted; $3 to $5 are empty.
WITH RECURSIVE
-- Each column of each foreign key. A partition's copy says the same as its parent's.
pairs (referenced, referenced_att, rel, att) AS MATERIALIZED (
    SELECT k.confrelid, c.referenced_att, k.conrelid, c.att
    FROM pg_catalog.pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS c (att, referenced_att)
    WHERE k.contype = 'f' AND k.conparentid = 0
),
asked (nth, rel, att) AS (
    SELECT a.nth, a.rel::oid, c.attnum
    FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS a (rel, att, c, d, e, nth)
    JOIN pg_catalog.pg_attribute c ON c.attrelid = a.rel::oid AND c.attnum > 0 AND NOT c.attisdropped
                                  AND pg_catalog.quote_ident(c.attname) = a.att
    WHERE EXISTS (SELECT FROM pairs)
),
-- UNION ends circles; the path tells how far away a column is.
reached (nth, rel, att, path) AS (
    SELECT a.nth, p.rel, p.att, ARRAY[p.rel::text || '.' || p.att::text]
    FROM asked a
    JOIN pairs p ON p.referenced = a.rel AND p.referenced_att = a.att
  UNION
    SELECT r.nth, p.rel, p.att, r.path || (p.rel::text || '.' || p.att::text)
    FROM reached r
    JOIN pairs p ON p.referenced = r.rel AND p.referenced_att = r.att
    WHERE (p.rel::text || '.' || p.att::text) <> ALL (r.path) AND cardinality(r.path) < 16
),
@DOMAINS@
-- What was reached, of each column the shortest way.
nearest (nth, rel, att, depth) AS (
    SELECT nth, rel, att, min(cardinality(path)) FROM reached GROUP BY nth, rel, att
)
SELECT q.nth::bigint AS nth, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(m.relname) AS rel_quoted,
       pg_catalog.quote_ident(c.attname) AS att_quoted, COALESCE(b.base, c.atttypid)::bigint AS type_oid,
       CASE WHEN b.modifier >= 0 THEN b.modifier ELSE c.atttypmod END AS type_modifier,
       NOT (m.relispartition OR c.attinhcount > 0 OR EXISTS (
           SELECT FROM pg_catalog.pg_partitioned_table p
           WHERE p.partrelid = m.oid AND c.attnum = ANY (p.partattrs::int2[]))) AS may_widen
FROM nearest q
JOIN pg_catalog.pg_class m ON m.oid = q.rel
JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
JOIN pg_catalog.pg_attribute c ON c.attrelid = q.rel AND c.attnum = q.att
LEFT JOIN domains b ON b.type = c.atttypid
-- A bigint holds every value of a sequence.
WHERE COALESCE(b.base, c.atttypid) <> 'bigint'::regtype
ORDER BY q.nth, q.depth, 2, 3
