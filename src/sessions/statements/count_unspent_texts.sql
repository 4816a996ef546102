-- How many of the sessions that are over have a text in a column that a sequence has yet to make, and the furthest of them.
SELECT count(*) AS unspent, @FURTHEST@ AS furthest
FROM @TABLE@ AS t
WHERE @IS_OVER@ AND @NOT_REVOKED@ AND NOT @IS_SPENT@
