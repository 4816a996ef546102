-- Of the values looked at in several stretches from one id on: which are taken, a bit for each, and how many ids the stretch
-- holds, counted up to one in 1 000. One row a stretch. Values are counted from that id, and drawn as in scales.sql.
SELECT d.taken, @COUNT@ AS ids
  FROM (SELECT 1 / (@UNCHANGED@)::integer AS unchanged OFFSET 0) AS checked
 CROSS JOIN unnest('{@LASTS@}'::int8[]) WITH ORDINALITY AS s(reached, nth)
 CROSS JOIN LATERAL (
     SELECT coalesce(sum(1::int8 << (v.nth - 1)::integer), 0)::int8 AS taken
       FROM (SELECT n.nth,
                    @BASE@::int8 + @INCREMENT@::int8
                  * CASE WHEN s.reached <= 32 THEN n.nth
                         ELSE 1 + ((('{@DRAWS@}'::int8[])[n.nth] + @TURN@::int8 * 1640531527) % 2147483648)
                                * s.reached / 2147483648 END AS id
               FROM pg_catalog.generate_series(1, least(32, s.reached)) AS n(nth)
             OFFSET 0) AS v
      WHERE @TAKEN@) AS d
 WHERE checked.unchanged = 1
 ORDER BY s.nth
