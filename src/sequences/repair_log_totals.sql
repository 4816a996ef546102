-- What repairs have charged, and the furthest values, upwards and downwards.
SELECT sequence, sum(charged)::text AS charged, coalesce(bool_or(early), false) AS early,
       max(to_value) AS highest, min(to_value) AS lowest
FROM ONLY pgmedic.repair_log WHERE outcome IN ('repaired', 'failed') GROUP BY sequence
