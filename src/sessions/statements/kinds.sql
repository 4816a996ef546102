-- Whether a column of few values tells sessions of several kinds apart: of those that are over, at least half have values of which no
-- session is live, while sessions of another value are.
WITH sampled AS (
    SELECT t.@COLUMN@::text AS value, @IS_OVER@ AS is_over
    FROM @TABLE@ AS t
    WHERE @NOT_REVOKED@
    LIMIT @MOST@
),
kinds AS (
    SELECT count(*) FILTER (WHERE s.is_over) AS over, count(*) FILTER (WHERE NOT s.is_over) AS live
    FROM sampled AS s
    GROUP BY s.value
)
SELECT count(*) <= 10
       AND coalesce(sum(k.live), 0) > 1
       AND coalesce(sum(k.over) FILTER (WHERE k.live = 0), 0) > 1
       AND coalesce(sum(k.over) FILTER (WHERE k.live = 0), 0) * 2 >= coalesce(sum(k.over), 0) AS are_apart
FROM kinds AS k
