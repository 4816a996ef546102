-- How many sessions there are by one rule, up to @MOST@ of each kind, for a store that is too large to be scanned: each
-- subquery reads the index that begins with the rule's column. Sessions that never end are not found.
SELECT (SELECT count(*) FROM (SELECT FROM @TABLE@ AS t WHERE @STALE@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM @TABLE@ AS t WHERE @RECENT@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM @TABLE@ AS t WHERE @LIVE@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM @TABLE@ AS t WHERE @LIVE_NOW@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM @TABLE@ AS t WHERE @FRESH@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s) AS fresh,
       0::bigint AS endless
