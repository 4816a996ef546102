-- What repairs have charged, and the furthest values, upwards and downwards. What is told of a sequence that has another name
-- by now is not told of the one that has its name. In a restored database no sequence has the OID that was logged.
SELECT e.sequence, sum(e.charged)::text AS charged, coalesce(bool_or(e.early), false) AS early,
       max(e.to_value) AS highest, min(e.to_value) AS lowest
FROM ONLY pgmedic.repair_log e
WHERE e.outcome IN ('repaired', 'failed')
  AND NOT EXISTS (SELECT FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
                  WHERE s.oid = e.sequence_oid AND s.relkind = 'S' AND format('%I.%I', n.nspname, s.relname) <> e.sequence)
GROUP BY e.sequence
