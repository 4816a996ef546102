-- The unique indexes of some tables, which are a table with its partitions and children: whether each holds a column, or what
-- is computed from it, and whether it holds nothing else, the partition key aside. Then a taken id makes an insert fail.
SELECT x.indexrelid, x.indisprimary,
       bool_or(c.attname = @COLUMN@ OR c.attgenerated <> '') AS holds,
       bool_and(COALESCE(c.attname = @COLUMN@ OR c.attgenerated <> ''
                OR c.attname IN (SELECT p.attname FROM pg_catalog.pg_partitioned_table d
                                 JOIN pg_catalog.pg_attribute p ON p.attrelid = d.partrelid
                                                               AND p.attnum = ANY (d.partattrs::smallint[])
                                 WHERE d.partrelid = ANY (@TABLES@)), false)) AS alone
FROM pg_catalog.pg_index x
CROSS JOIN LATERAL (
    SELECT k.att FROM unnest(x.indkey::smallint[]) WITH ORDINALITY AS k (att, place)
    WHERE k.place <= x.indnkeyatts AND k.att <> 0
  UNION ALL
    SELECT v.match[1]::smallint FROM pg_catalog.regexp_matches(x.indexprs::text, ':varattno (-?[0-9]+)', 'g') AS v (match)
) AS u
LEFT JOIN pg_catalog.pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = u.att AND c.attnum > 0
WHERE x.indrelid = ANY (@TABLES@) AND (x.indisunique OR x.indisexclusion) AND x.indisready
GROUP BY x.indexrelid, x.indisprimary
