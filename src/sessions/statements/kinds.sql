-- Whether the sessions that are over and those that are not have no value of a column in common, and few values at all.
WITH sampled AS (
    SELECT t.@COLUMN@::text AS value, @IS_OVER@ AS is_over
    FROM @TABLE@ AS t
    WHERE @NOT_REVOKED@
    LIMIT @MOST@
)
SELECT (SELECT count(*) FROM sampled WHERE is_over) > 1
       AND (SELECT count(*) FROM sampled WHERE NOT is_over) > 1
       AND (SELECT count(DISTINCT value) FROM sampled) <= 10
       AND NOT EXISTS (SELECT value FROM sampled WHERE is_over INTERSECT SELECT value FROM sampled WHERE NOT is_over)
       AS are_apart
