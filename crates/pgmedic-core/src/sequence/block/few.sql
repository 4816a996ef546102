-- All taken ids from one value to another, and not before the next value: the lowest, the highest, and how many; one row. At
-- most @MORE@ rows are read: where so many were, there may be other ids. Divides by zero where a name no longer stands for the
-- relation that was discovered.
-- The statement's snapshot is taken before it reads the sequence. So what other sessions insert while a walk goes on is
-- never taken for an id ahead.
SELECT few.lowest, few.highest, few.taken, few.read,
       1 / (@UNCHANGED@ AND (s.tableoid = '@OID@'::oid) IS NOT FALSE)::integer AS unchanged,
       -- The gap before the nearest id is counted from here: other sessions may have moved the sequence on.
       s.last_value, s.is_called
  FROM (SELECT 1) AS always
       -- No row where a leap has just replaced the sequence's file: then the value that was asked for counts.
  LEFT JOIN @SEQUENCE@ AS s ON true
 CROSS JOIN LATERAL (
     -- Two columns may hold the same id.
     SELECT min(f.id) AS lowest, max(f.id) AS highest, count(DISTINCT f.id) AS taken, count(*) AS read
       FROM (@IDS@ LIMIT @MORE@) AS f) AS few
