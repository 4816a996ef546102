-- Removes old entries, at most so many at once, and counts the removed ones of inline repairs by outcome.
WITH removed AS (
    DELETE FROM ONLY pgmedic.repair_log
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY pgmedic.repair_log
                            WHERE at < clock_timestamp() - interval '@KEPT@' LIMIT @MOST_REMOVED@))
    RETURNING source, outcome)
SELECT outcome, count(*) FROM removed WHERE source = 'inline' GROUP BY outcome
