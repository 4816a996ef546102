-- One stretch for each of several steps, all from the same taken id on; one row a step, the last one null where no id lies
-- within it. Values are counted from that id: 0 is the id itself.
-- @DRAWS@: 32 random numbers below 2^31; @TURN@: the number of the id, modulo 2^31, so that each stretch is drawn anew.
SELECT s.reached, d.drawn, d.taken
  FROM (SELECT 1 / (@UNCHANGED@)::integer AS unchanged OFFSET 0) AS checked
 CROSS JOIN unnest('{@STEPS@}'::int8[]) WITH ORDINALITY AS step(length, nth)
 CROSS JOIN LATERAL (SELECT @LAST@ AS reached OFFSET 0) AS s
 CROSS JOIN LATERAL (
     SELECT count(*) AS drawn, count(*) FILTER (WHERE @TAKEN@) AS taken
       FROM (SELECT @BASE@::int8 + @INCREMENT@::int8
                  * CASE WHEN s.reached <= 32 THEN n.nth
                         ELSE 1 + ((('{@DRAWS@}'::int8[])[n.nth] + @TURN@::int8 * 1640531527) % 2147483648)
                                * s.reached / 2147483648 END AS id
               FROM pg_catalog.generate_series(1, least(32, s.reached)) AS n(nth)
             OFFSET 0) AS v
      WHERE s.reached IS NOT NULL) AS d
 WHERE checked.unchanged = 1
 ORDER BY step.nth
