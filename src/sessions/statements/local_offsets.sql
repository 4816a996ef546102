-- By how many seconds a zone is ahead of UTC around a point in time: a row for each step, the earliest first.
SELECT extract(epoch FROM (s.at AT TIME ZONE @ZONE@) - (s.at AT TIME ZONE 'UTC'))::bigint AS seconds,
       EXISTS (SELECT FROM pg_catalog.pg_timezone_abbrevs AS a WHERE a.abbrev = upper(@ZONE@) AND a.is_dst) AS is_summer_time
FROM (
    SELECT to_timestamp(@SECONDS@) + @MICROSECONDS@ * interval '1 microsecond'
         + step * @STEP@ * interval '1 minute' AS at
    FROM generate_series(-@STEPS@, @STEPS@) AS step
    ORDER BY step
) AS s
