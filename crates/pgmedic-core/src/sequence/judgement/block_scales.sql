-- Question::Scales, for one ascending feed t.id whose values are all the sequence's own.
-- $1 after, $2 up_to, $3 the steps as int8[], $4 the 32 draws as int8[]; ids, not value numbers.
-- One row a step; reached is null where no id lies within it. `thin` is not read in these answers.
SELECT s.reached, d.drawn, d.taken
  FROM unnest($3) WITH ORDINALITY AS step(length, nth)
 CROSS JOIN LATERAL (SELECT max(t.id)::int8 AS reached FROM t
                      WHERE t.id > $1 AND t.id <= CASE WHEN $1 > $2 - step.length THEN $2 ELSE $1 + step.length END) AS s
 CROSS JOIN LATERAL (
     SELECT count(*) AS drawn, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM t WHERE t.id = v.value)) AS taken
       FROM (SELECT CASE WHEN s.reached - $1 <= 32 THEN $1 + n.nth
                         ELSE $1 + 1
                            + (($4[n.nth] + ($1 % 2147483648 + 2147483648) % 2147483648 * 1640531527) % 2147483648)
                            * (s.reached - $1) / 2147483648 END AS value
               FROM generate_series(1, least(32, s.reached - $1)) AS n(nth)) AS v
      WHERE s.reached IS NOT NULL) AS d
 ORDER BY step.nth
