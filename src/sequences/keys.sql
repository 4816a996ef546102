-- Of fed columns: what makes an insert of a taken id fail, and whether an index finds the ids between two values. One row
-- a column, in the order of the question.
-- $1 the tables' OIDs, $2 the columns, quoted; $3 to $5 are empty.
WITH RECURSIVE
asked (nth, root, att) AS (
    SELECT a.nth, a.rel::oid, a.att FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS a (rel, att, c, d, e, nth)
),
tree (root, member) AS (
    SELECT a.root, a.root FROM asked a
  UNION
@PARTITION_STEP@
),
-- The column in the table and in each of its partitions and children, found by name: its number may differ.
members (nth, root, rel, kind, att) AS (
    SELECT a.nth, a.root, m.oid, m.relkind, c.attnum
    FROM asked a
    JOIN tree t ON t.root = a.root
    JOIN pg_catalog.pg_class m ON m.oid = t.member
    JOIN pg_catalog.pg_attribute c ON c.attrelid = m.oid AND c.attnum > 0 AND NOT c.attisdropped
                                  AND pg_catalog.quote_ident(c.attname) = a.att
),
-- The columns by which the rows are spread over partitions, on every level.
spread_by (root, name) AS (
    SELECT DISTINCT t.root, c.attname
    FROM tree t
    JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = t.member
    CROSS JOIN LATERAL unnest(p.partattrs::int2[]) AS k (att)
    JOIN pg_catalog.pg_attribute c ON c.attrelid = p.partrelid AND c.attnum = k.att
),
-- The columns that PostgreSQL generates from the column, and whether from it alone, the partition key aside. Of a stored
-- expression, the numbers of the columns that it reads are looked at.
generated (nth, rel, att, alone) AS (
    SELECT m.nth, m.rel, g.attnum,
           bool_and(COALESCE(c.attnum = m.att OR c.attname IN (SELECT s.name FROM spread_by s WHERE s.root = m.root), false))
    FROM members m
    JOIN pg_catalog.pg_attribute g ON g.attrelid = m.rel AND g.attgenerated <> '' AND NOT g.attisdropped
    JOIN pg_catalog.pg_attrdef e ON e.adrelid = m.rel AND e.adnum = g.attnum
    CROSS JOIN LATERAL pg_catalog.regexp_matches(e.adbin::text, ':varattno (-?[0-9]+)', 'g') AS v (match)
    LEFT JOIN pg_catalog.pg_attribute c ON c.attrelid = m.rel AND c.attnum = v.match[1]::smallint AND c.attnum > 0
    GROUP BY m.nth, m.rel, g.attnum
    HAVING bool_or(c.attnum = m.att)
),
-- Each key that holds the column, or what is computed from it, and whether it holds nothing else, the partition key aside:
-- then a taken id is refused. Also one with a WHERE clause, and one that is still being built, makes inserts fail.
keys (nth, alone, primary_key, of_root, index, name) AS (
    SELECT m.nth,
           bool_and(COALESCE(c.attnum = m.att OR g.alone
                             OR c.attname IN (SELECT s.name FROM spread_by s WHERE s.root = m.root), false)),
           x.indisprimary, m.rel = m.root, x.indexrelid,
           (SELECT pg_catalog.format('%I (%s)', i.relname,
                string_agg(COALESCE(pg_catalog.quote_ident(n.attname), '(an expression)'), ', ' ORDER BY p.place))
            FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS p (att, place)
            LEFT JOIN pg_catalog.pg_attribute n ON n.attrelid = x.indrelid AND n.attnum = p.att AND p.att > 0
            WHERE p.place <= x.indnkeyatts)
    FROM members m
    JOIN pg_catalog.pg_index x ON x.indrelid = m.rel AND (x.indisunique OR x.indisexclusion) AND x.indisready
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    CROSS JOIN LATERAL (
        SELECT k.att
        FROM unnest(x.indkey::int2[]) WITH ORDINALITY AS k (att, place)
        WHERE k.place <= x.indnkeyatts AND k.att <> 0
      UNION ALL
        SELECT v.match[1]::smallint
        FROM pg_catalog.regexp_matches(x.indexprs::text, ':varattno (-?[0-9]+)', 'g') AS v (match)
    ) AS k
    LEFT JOIN pg_catalog.pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = k.att AND k.att > 0
    LEFT JOIN generated g ON g.nth = m.nth AND g.rel = m.rel AND g.att = k.att
    GROUP BY m.nth, m.root, m.rel, x.indexrelid, x.indrelid, x.indkey, x.indnkeyatts, x.indisprimary, i.relname
    HAVING bool_or(c.attnum = m.att OR g.nth IS NOT NULL)
),
-- Members that store rows and have no valid B-tree without a WHERE clause that begins with the column.
unindexed (nth) AS (
    SELECT m.nth
    FROM members m
    WHERE m.kind = 'r' AND NOT EXISTS (
        SELECT FROM pg_catalog.pg_index x
        JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
        WHERE x.indrelid = m.rel AND x.indkey[0] = m.att AND x.indisvalid AND x.indpred IS NULL AND o.opcmethod = 403)
),
-- Aggregated before they are joined: ten thousand columns may be asked for.
of_column (nth, is_unique, in_primary_key, longer_key) AS (
    SELECT k.nth, bool_or(k.alone), bool_or(k.primary_key AND NOT k.alone),
           (array_agg(k.name ORDER BY k.primary_key DESC, k.of_root DESC, k.index) FILTER (WHERE NOT k.alone))[1]
    FROM keys k
    GROUP BY k.nth
)
SELECT COALESCE(k.is_unique, false) AS is_unique, COALESCE(k.in_primary_key, false) AS in_primary_key, k.longer_key,
       u.nth IS NULL AS is_indexed
FROM asked a
LEFT JOIN of_column k ON k.nth = a.nth
LEFT JOIN (SELECT DISTINCT nth FROM unindexed) AS u ON u.nth = a.nth
ORDER BY a.nth
