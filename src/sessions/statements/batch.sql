-- Ends one batch of the sessions that are over by one rule, the oldest first; or the newest.
--
-- Locked rows are skipped: a session that is being extended is neither waited for nor ended. The addresses are
-- MATERIALIZED, because a join could run a LIMIT again for each row. The condition stands twice: the row that is ended may
-- be newer than the one that was found, and is judged again. A row that a trigger changed back is left, and not ended.
WITH to_end AS MATERIALIZED (
    SELECT @ADDRESS@, @TIME@ AS at
    FROM @TABLE@ AS t
    WHERE @IS_OVER@ AND @NOT_REVOKED@ AND @FROM_CURSOR@ AND @ROWS@
    @ORDER@
    LIMIT @SIZE@
    FOR @LOCK@ SKIP LOCKED
),
ended AS (
    @END@
    WHERE @IS_SELECTED@ AND @IS_OVER@ AND @NOT_REVOKED@
    RETURNING @IS_LEFT@ AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT @LAST@ FROM to_end) AS last@NOTED@
