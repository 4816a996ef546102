-- Of the sessions that were used last: how many, and in how many of them the last activity is the creation.
SELECT count(*) AS looked_at,
       count(*) FILTER (WHERE @IS_CREATED@ AND abs(@MICROSECONDS@ - @CREATED_MICROSECONDS@) < 1000000) AS untouched
FROM (
    SELECT @TIME@, @CREATED@
    FROM @TABLE@ AS t
    WHERE @IS_TIME@ AND @NOT_REVOKED@
    ORDER BY @TIME@ DESC
    LIMIT @MOST@
) AS t
