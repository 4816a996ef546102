-- The chain of stretches from one taken id on: each ends with the last taken id within a step of where the one before ended.
-- One row a stretch; fewer than @MOST@ rows mean that the chain ended. Values are counted from the first id, which is 0.
-- @DRAWS@: 32 random numbers below 2^31; @TURN@: the number of the first id, modulo 2^31, so that each stretch is drawn
-- anew. The draws are constants: random() in the condition would make a sequential scan of it.
WITH RECURSIVE chain (nth, reached, drawn, taken, thin) AS (
    SELECT 0::int8, 0::int8, 1::int8, (1 / (@UNCHANGED@)::integer)::int8, false
  UNION ALL
    SELECT c.nth + 1, s.reached, d.drawn, d.taken,
           -- At least one id in 1 000, rounded up: counted no further than that, and only where it is not dense.
           CASE WHEN d.taken * 32 >= d.drawn * 3 THEN false
                ELSE @COUNT@ >= (s.reached - c.reached + 999) / 1000 END
      FROM chain AS c
           -- The last id within a step. max() with a range uses an index of any order; ORDER BY would not.
     CROSS JOIN LATERAL (SELECT @LAST@ AS reached OFFSET 0) AS s
           -- All values of a short stretch, 32 drawn ones of a longer one.
     CROSS JOIN LATERAL (
         SELECT count(*) AS drawn, count(*) FILTER (WHERE @TAKEN@) AS taken
           FROM (SELECT @BASE@::int8 + @INCREMENT@::int8
                      * CASE WHEN s.reached - c.reached <= 32 THEN c.reached + n.nth
                             ELSE c.reached + 1
                                + ((('{@DRAWS@}'::int8[])[n.nth]
                                    + (@TURN@::int8 + c.reached) % 2147483648 * 1640531527) % 2147483648)
                                * (s.reached - c.reached) / 2147483648 END AS id
                   FROM pg_catalog.generate_series(1, least(32, s.reached - c.reached)) AS n(nth)
                 OFFSET 0) AS v) AS d
           -- On while the stretch before was dense or thin.
     WHERE c.nth < @MOST@ AND s.reached IS NOT NULL AND (c.thin OR c.taken * 32 >= c.drawn * 3)
)
SELECT reached, drawn, taken, thin FROM chain WHERE nth > 0 ORDER BY nth
