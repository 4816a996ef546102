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
-- Each key that holds the column, and whether it holds it alone, the partition key aside. Also one with a WHERE clause, and
-- one that is still being built, makes inserts fail.
keys (nth, alone, primary_key, of_root, index, name) AS (
    SELECT m.nth,
           bool_and(COALESCE(c.attnum = m.att OR c.attname IN (SELECT s.name FROM spread_by s WHERE s.root = m.root), false)),
           x.indisprimary, m.rel = m.root, x.indexrelid,
           pg_catalog.format('%I (%s)', i.relname,
               string_agg(COALESCE(pg_catalog.quote_ident(c.attname), '(an expression)'), ', ' ORDER BY k.place))
    FROM members m
    JOIN pg_catalog.pg_index x ON x.indrelid = m.rel AND (x.indisunique OR x.indisexclusion) AND x.indisready
    JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
    CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY AS k (att, place)
    LEFT JOIN pg_catalog.pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = k.att AND k.att > 0
    WHERE k.place <= x.indnkeyatts
    GROUP BY m.nth, m.root, m.rel, x.indexrelid, x.indisprimary, i.relname
    HAVING bool_or(c.attnum = m.att)
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
