-- Marks the inline repairs that no agent has counted, and counts them by outcome: each entry once, whichever agent leads.
WITH counted AS (
    UPDATE ONLY pgmedic.repair_log AS e SET counted = true
    WHERE e.source = 'inline' AND NOT e.counted AND @TRUSTED@
    RETURNING e.outcome)
SELECT outcome, count(*) FROM counted GROUP BY outcome
