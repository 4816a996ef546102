-- The columns that reference fed columns by foreign keys, and those that reference these in turn: where an id must fit too.
-- One row for each fed column and referencing one, the nearest first.
-- $1 the tables' OIDs, $2 the columns, quoted; $3 to $5 are empty.
WITH RECURSIVE
-- Each column of each foreign key. A partition's copy says the same as its parent's.
keys (referenced, referenced_att, rel, att) AS MATERIALIZED (
    SELECT k.confrelid, c.referenced_att::integer, k.conrelid, c.att::integer
    FROM pg_catalog.pg_constraint k
    CROSS JOIN LATERAL unnest(k.conkey, k.confkey) AS c (att, referenced_att)
    WHERE k.contype = 'f' AND k.conparentid = 0
),
-- The same with the columns of the tables that the referenced ones are partitions or children of: an id of the root is one of
-- its members'. A child that draws from another sequence holds other ids.
above (referenced, referenced_att, rel, att) AS (
    SELECT k.referenced, k.referenced_att, k.rel, k.att FROM keys k
  UNION
    SELECT pc.attrelid, pc.attnum::integer, a.rel, a.att
    FROM above a
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.referenced
    JOIN pg_catalog.pg_class m ON m.oid = a.referenced
    JOIN pg_catalog.pg_attribute c ON c.attrelid = a.referenced AND c.attnum = a.referenced_att
    JOIN pg_catalog.pg_attribute pc ON pc.attrelid = i.inhparent AND pc.attname = c.attname AND pc.attnum > 0
    WHERE COALESCE(to_jsonb(i) ->> 'inhdetachpending', 'false') = 'false'
      AND (m.relispartition
           OR c.attidentity = '' AND NOT EXISTS (
               SELECT d.refobjid
               FROM pg_catalog.pg_attrdef e
               JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid
                                          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = 0
               WHERE e.adrelid = c.attrelid AND e.adnum = c.attnum
             EXCEPT
               SELECT d.refobjid
               FROM pg_catalog.pg_attrdef e
               JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = e.oid
                                          AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = 0
               WHERE e.adrelid = pc.attrelid AND e.adnum = pc.attnum))
),
-- The same with the partitions of the referenced tables: a partition may have a sequence for itself.
partitions (referenced, referenced_att, rel, att) AS (
    SELECT k.referenced, k.referenced_att, k.rel, k.att FROM keys k
  UNION
    SELECT mc.attrelid, mc.attnum::integer, p.rel, p.att
    FROM partitions p
    JOIN pg_catalog.pg_inherits i ON i.inhparent = p.referenced
    JOIN pg_catalog.pg_class m ON m.oid = i.inhrelid AND m.relispartition
    JOIN pg_catalog.pg_attribute c ON c.attrelid = p.referenced AND c.attnum = p.referenced_att
    JOIN pg_catalog.pg_attribute mc ON mc.attrelid = i.inhrelid AND mc.attname = c.attname AND mc.attnum > 0
),
pairs (referenced, referenced_att, rel, att) AS MATERIALIZED (
    SELECT referenced, referenced_att, rel, att FROM above
  UNION
    SELECT referenced, referenced_att, rel, att FROM partitions
),
asked (nth, rel, att) AS (
    SELECT a.nth, a.rel::oid, c.attnum::integer
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
-- What keeps the type of a referencing column as it is, in the table itself or a partition or child of it.
below (rel, att, member, member_att) AS (
    SELECT DISTINCT r.rel, r.att, r.rel, r.att FROM reached r
  UNION
    SELECT w.rel, w.att, mc.attrelid, mc.attnum::integer
    FROM below w
    JOIN pg_catalog.pg_inherits i ON i.inhparent = w.member
    JOIN pg_catalog.pg_attribute c ON c.attrelid = w.member AND c.attnum = w.member_att
    JOIN pg_catalog.pg_attribute mc ON mc.attrelid = i.inhrelid AND mc.attname = c.attname AND mc.attnum > 0
),
@OBSTACLES@,
obstacles_in_trees (map) AS MATERIALIZED (
    SELECT jsonb_object_agg(t.key, t.what)
    FROM (SELECT w.rel || ':' || w.att AS key, min((SELECT o.map FROM obstacles o) ->> (w.member || ':' || w.member_att)) AS what
          FROM below w
          GROUP BY w.rel, w.att) AS t
    WHERE t.what IS NOT NULL
),
-- What was reached, of each column the shortest way.
nearest (nth, rel, att, depth) AS (
    SELECT nth, rel, att, min(cardinality(path)) FROM reached GROUP BY nth, rel, att
)
SELECT q.nth::bigint AS nth, pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(m.relname) AS rel_quoted,
       pg_catalog.quote_ident(c.attname) AS att_quoted, COALESCE(b.base, c.atttypid)::bigint AS type_oid,
       CASE WHEN b.modifier >= 0 THEN b.modifier ELSE c.atttypmod END AS type_modifier,
       CASE WHEN c.atttypid <> COALESCE(b.base, c.atttypid)
            THEN 'it is of the domain ' || pg_catalog.format_type(c.atttypid, NULL)
            WHEN m.relispartition OR c.attinhcount > 0 THEN 'it is inherited'
            ELSE (SELECT o.map FROM obstacles_in_trees o) ->> (q.rel || ':' || q.att)
       END AS widen_obstacle
FROM nearest q
JOIN pg_catalog.pg_class m ON m.oid = q.rel
JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
JOIN pg_catalog.pg_attribute c ON c.attrelid = q.rel AND c.attnum = q.att
LEFT JOIN domains b ON b.type = c.atttypid
-- A bigint holds every value of a sequence.
WHERE COALESCE(b.base, c.atttypid) <> 'bigint'::regtype
ORDER BY q.nth, q.depth, 2, 3
