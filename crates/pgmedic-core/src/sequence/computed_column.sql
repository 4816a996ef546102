-- Which of the next values make an id that the column holds, by their numbers from the next value on, which is 0. One row,
-- and none where another relation has the name.
-- @SEQUENCE@, @OID@, @INCREMENT@, @MIN@, @MAX@: the sequence; @WRAPPED@: what follows its last value, NULL if nothing does;
-- @UNCHANGED@: that the table's name still stands for it; @MOST@: how many values are looked at, less one;
-- @ID@: what the column's default makes of v.id; @TYPE@ and @COLUMN@: the column; @TABLE@: its table.
WITH s AS MATERIALIZED (
    SELECT CASE WHEN n.value BETWEEN @MIN@ AND @MAX@ THEN n.value ELSE @WRAPPED@ END AS next
    FROM (SELECT s.last_value::pg_catalog.numeric + CASE WHEN s.is_called THEN @INCREMENT@ ELSE 0 END AS value
          FROM @SEQUENCE@ AS s
          WHERE s.tableoid = @OID@::oid AND @UNCHANGED@) AS n
)
SELECT s.next::pg_catalog.text, (
    SELECT pg_catalog.string_agg(v.k::pg_catalog.text, ' ' ORDER BY v.k)
    -- OFFSET 0 keeps the casts behind the bounds.
    FROM (SELECT k.k, (s.next + k.k * @INCREMENT@)::pg_catalog.int8 AS id
          FROM pg_catalog.generate_series(0, @MOST@) AS k (k)
          WHERE s.next + k.k * @INCREMENT@ BETWEEN @MIN@ AND @MAX@
          OFFSET 0) AS v
    WHERE (SELECT true FROM @TABLE@ AS t WHERE t.@COLUMN@ = (@ID@)::@TYPE@ LIMIT 1)
)
FROM s
