-- The last taken id within each of several steps from one id on; one row a step, null where no id lies within it. Values are
-- counted from that id: 0 is the id itself.
SELECT s.reached
  FROM (SELECT 1 / (@UNCHANGED@)::integer AS unchanged OFFSET 0) AS checked
 CROSS JOIN unnest('{@STEPS@}'::int8[]) WITH ORDINALITY AS step(length, nth)
 CROSS JOIN LATERAL (SELECT @LAST@ AS reached OFFSET 0) AS s
 WHERE checked.unchanged = 1
 ORDER BY step.nth
