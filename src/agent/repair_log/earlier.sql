-- What agents repaired in the last 24 hours, the newest first.
SELECT e.sequence AS sequence, extract(epoch FROM e.at)::pg_catalog.float8 AS at, e.cause AS cause,
       e.from_value AS from_value, e.to_value AS to_value, e.evidence::pg_catalog.text AS evidence
FROM ONLY pgmedic.repair_log e
WHERE e.source = 'agent' AND e.outcome = 'repaired' AND e.at > pg_catalog.clock_timestamp() - interval '24 hours' AND @TRUSTED@
ORDER BY e.at DESC
LIMIT 10000
