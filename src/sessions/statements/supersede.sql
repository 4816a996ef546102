-- Ends one batch of the live sessions beyond the newest ones that their users may have. Sessions of the same age share a
-- rank, so none is ended that might be the newest.
--
-- Locked rows, MATERIALIZED and the repeated condition: as in batch.sql. A session whose age has changed since it was
-- ranked is left.
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        @RANKED@
    ) AS r
    WHERE r.rank > @MAX@ AND @ROWS@
    LIMIT @SIZE@
),
to_end AS MATERIALIZED (
    SELECT @ADDRESS@
    FROM @TABLE@ AS t
    JOIN ranked AS r ON @IS_SAME_ROW@ AND @AGE@ = r.age
    WHERE NOT @IS_OVER@ AND @NOT_REVOKED@
    FOR @LOCK@ OF t SKIP LOCKED
),
ended AS (
    @END@
    WHERE @IS_SELECTED@ AND NOT @IS_OVER@ AND @NOT_REVOKED@
    RETURNING @IS_LEFT@ AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last@NOTED@
