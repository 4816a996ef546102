-- Question::Stretches, for one ascending feed t.id whose values are all the sequence's own.
-- $1 after, $2 up_to, $3 step, $4 most, $5 the 32 draws as int8[]; ids, not value numbers.
-- One row a stretch; fewer than `most` rows mean that the chain ended. Run with enable_seqscan = off.
WITH RECURSIVE chain(nth, reached, drawn, taken, thin) AS (
    SELECT 0::int8, $1, 1::int8, 1::int8, false
  UNION ALL
    SELECT c.nth + 1, s.reached, d.drawn, d.taken,
           -- At least one id in 1 000, rounded up: counted no further than that, and only where it is not dense.
           CASE WHEN d.taken * 32 >= d.drawn * 3 THEN false
                ELSE (SELECT count(*) FROM (SELECT 1 FROM t WHERE t.id > c.reached AND t.id <= s.reached
                                            LIMIT (s.reached - c.reached + 999) / 1000) AS few)
                     >= (s.reached - c.reached + 999) / 1000 END
      FROM chain AS c
           -- The last id within a step. max() with a range uses an index of any order; ORDER BY would not.
     CROSS JOIN LATERAL (SELECT max(t.id)::int8 AS reached FROM t
                          WHERE t.id > c.reached
                            AND t.id <= CASE WHEN c.reached > $2 - $3 THEN $2 ELSE c.reached + $3 END) AS s
           -- All values of a short stretch, 32 drawn ones of a longer one. The draws are parameters: random() here would
           -- make a sequential scan of it.
     CROSS JOIN LATERAL (
         SELECT count(*) AS drawn, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM t WHERE t.id = v.value)) AS taken
           FROM (SELECT CASE WHEN s.reached - c.reached <= 32 THEN c.reached + n.nth
                             ELSE c.reached + 1
                                + (($5[n.nth] + (c.reached % 2147483648 + 2147483648) % 2147483648 * 1640531527) % 2147483648)
                                * (s.reached - c.reached) / 2147483648 END AS value
                   FROM generate_series(1, least(32, s.reached - c.reached)) AS n(nth)) AS v) AS d
           -- On while the stretch before was dense or thin.
     WHERE c.nth < $4 AND s.reached IS NOT NULL AND (c.thin OR c.taken * 32 >= c.drawn * 3)
)
SELECT reached, drawn, taken, thin FROM chain WHERE nth > 0 ORDER BY nth
