-- How many sessions there are, in one scan.
SELECT count(*) FILTER (WHERE is_over) AS stale,
       -- Not over a day ago.
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       -- Live by the database's clock now too, and with an end.
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       -- Live at the last sweep.
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT @IS_OVER@ AS is_over,
           @IS_OVER_NOW@ AS is_over_now,
           @WAS_OVER_A_DAY_AGO@ AS was_over_a_day_ago,
           @WAS_OVER@ AS was_over,
           @HAS_END@ AS has_end
    FROM @TABLE@ AS t
    WHERE @NOT_REVOKED@
) AS s
