-- The newest entries about these sequences.
-- $1: their names; $2: "all" where every sequence is meant; @LIMIT@: how many.
SELECT pg_catalog.to_char(e.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') AS at, e.role::pg_catalog.text AS role,
       e.source AS source, e.sequence AS sequence, e.outcome AS outcome, e.from_value AS from_value, e.to_value AS to_value,
       e.charged AS charged, e.early AS early, e.cause AS cause, e.evidence::pg_catalog.text AS evidence
FROM ONLY pgmedic.repair_log e
WHERE 'all' = ANY ($2) OR e.sequence = ANY ($1)
ORDER BY e.at DESC
LIMIT @LIMIT@
