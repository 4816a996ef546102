-- How many of the sessions that are over have an id that a sequence has yet to hand out, up to @MOST@.
SELECT count(*) AS unspent
FROM (SELECT FROM @TABLE@ AS t WHERE @IS_OVER@ AND @NOT_REVOKED@ AND NOT (@IS_SPENT@) LIMIT @MOST@) AS s
