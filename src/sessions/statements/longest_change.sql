-- By how many microseconds a zone is further ahead of UTC now than it was at any time of the last 400 days.
SELECT (greatest(max(o.now - o.before), 0) * 1000000)::bigint AS microseconds
FROM (
    SELECT extract(epoch FROM (n.now AT TIME ZONE @ZONE@) - (n.now AT TIME ZONE 'UTC')) AS now,
           extract(epoch FROM (s.at AT TIME ZONE @ZONE@) - (s.at AT TIME ZONE 'UTC')) AS before
    FROM (SELECT to_timestamp(@SECONDS@) AS now) AS n
    CROSS JOIN generate_series(n.now - interval '400 days', n.now, interval '7 days') AS s (at)
) AS o
