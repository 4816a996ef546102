-- Every statement of a sweep as it is sent. A test writes this file when UPDATE_SNAPSHOT is set, and compares it else.

-- batch: timestamptz, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true AND t.expires_at >= '2026-01-14 22:59:59.999999+00'::timestamptz AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamptz, delete
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND true
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND true
    FOR UPDATE OF t SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: timestamptz, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- count: timestamptz, delete
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AS is_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AS is_over_now,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 00:00:00.000000+00'::timestamptz), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 22:00:00.000000+00'::timestamptz), false) AS was_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE true
) AS s;

-- count by index: timestamptz, delete
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 00:00:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-14 23:59:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 22:00:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: timestamptz, delete
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND true
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: timestamptz, delete
SELECT (extract(epoch FROM t.expires_at) * 1000000)::bigint AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2125-12-22 00:00:00.000000+00'::timestamptz AND true
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: timestamptz, delete
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at > '2125-12-22 00:00:00.000000+00'::timestamptz AND true
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at < '2000-01-01 00:00:00.000000+00'::timestamptz AND true LIMIT 101) AS s
       ) AS before_2000;

-- batch: timestamptz, revoke by value
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text AND t.expires_at >= '2026-01-14 22:59:59.999999+00'::timestamptz AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamptz, revoke by value
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: timestamptz, revoke by value
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- count: timestamptz, revoke by value
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AS is_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AS is_over_now,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 00:00:00.000000+00'::timestamptz), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 22:00:00.000000+00'::timestamptz), false) AS was_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE t.state IS DISTINCT FROM 'over'::text
) AS s;

-- count by index: timestamptz, revoke by value
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 00:00:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-14 23:59:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 22:00:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: timestamptz, revoke by value
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.state IS DISTINCT FROM 'over'::text
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: timestamptz, revoke by value
SELECT (extract(epoch FROM t.expires_at) * 1000000)::bigint AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2125-12-22 00:00:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: timestamptz, revoke by value
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at > '2125-12-22 00:00:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at < '2000-01-01 00:00:00.000000+00'::timestamptz AND t.state IS DISTINCT FROM 'over'::text LIMIT 101) AS s
       ) AS before_2000;

-- batch: timestamptz, revoke by time
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.revoked_at IS NULL AND t.expires_at >= '2026-01-14 22:59:59.999999+00'::timestamptz AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = '2026-01-15 00:00:00.000000+00'::timestamptz
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamptz, revoke by time
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = '2026-01-15 00:00:00.000000+00'::timestamptz
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: timestamptz, revoke by time
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.revoked_at IS NULL AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = '2026-01-15 00:00:00.000000+00'::timestamptz
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- count: timestamptz, revoke by time
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AS is_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AS is_over_now,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 00:00:00.000000+00'::timestamptz), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 22:00:00.000000+00'::timestamptz), false) AS was_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE t.revoked_at IS NULL
) AS s;

-- count by index: timestamptz, revoke by time
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.revoked_at IS NULL LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 00:00:00.000000+00'::timestamptz AND t.revoked_at IS NULL LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-14 23:59:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 22:00:00.000000+00'::timestamptz AND t.revoked_at IS NULL LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: timestamptz, revoke by time
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz), false) AND t.revoked_at IS NULL
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: timestamptz, revoke by time
SELECT (extract(epoch FROM t.expires_at) * 1000000)::bigint AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2125-12-22 00:00:00.000000+00'::timestamptz AND t.revoked_at IS NULL
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: timestamptz, revoke by time
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at > '2125-12-22 00:00:00.000000+00'::timestamptz AND t.revoked_at IS NULL
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at < '2000-01-01 00:00:00.000000+00'::timestamptz AND t.revoked_at IS NULL LIMIT 101) AS s
       ) AS before_2000;

-- batch: timestamp, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND true AND t.expires_at >= '2026-01-14 22:59:59.999999'::timestamp AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamp, delete
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000'::timestamp AND t.created_at < 'infinity'::timestamp AND t.created_at <= '2026-01-15 01:00:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND true
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND true
    FOR UPDATE OF t SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: timestamp, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND true AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- count: timestamp, delete
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AS is_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 01:00:00.000000'::timestamp), false) AS is_over_now,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-14 01:00:00.000000'::timestamp), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-14 22:00:00.000000'::timestamp), false) AS was_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE true
) AS s;

-- count by index: timestamp, delete
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.expires_at > '2026-01-14 01:00:00.000000'::timestamp AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-15 00:59:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2026-01-15 01:00:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 01:00:00.000000'::timestamp), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.expires_at > '2026-01-14 22:00:00.000000'::timestamp AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: timestamp, delete
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000'::timestamp AND t.created_at < 'infinity'::timestamp AND t.created_at <= '2026-01-15 01:00:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND true
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: timestamp, delete
SELECT (extract(epoch FROM t.expires_at) * 1000000)::bigint AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > '1970-01-02 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2125-12-22 00:00:00.000000'::timestamp AND true
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: timestamp, delete
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at > '2125-12-22 00:00:00.000000'::timestamp AND true
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at < '2000-01-01 00:00:00.000000'::timestamp AND true LIMIT 101) AS s
       ) AS before_2000;

-- batch: timestamp, revoke by value
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.state IS DISTINCT FROM 'over'::text AND t.expires_at >= '2026-01-14 22:59:59.999999'::timestamp AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamp, revoke by value
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000'::timestamp AND t.created_at < 'infinity'::timestamp AND t.created_at <= '2026-01-15 01:00:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.state IS DISTINCT FROM 'over'::text
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.state IS DISTINCT FROM 'over'::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: timestamp, revoke by time
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.revoked_at IS NULL AND t.expires_at >= '2026-01-14 22:59:59.999999'::timestamp AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = '2026-01-15 01:00:00.000000'::timestamp
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamp, revoke by time
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000'::timestamp AND t.created_at < 'infinity'::timestamp AND t.created_at <= '2026-01-15 01:00:00.000000'::timestamp AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.revoked_at IS NULL
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.revoked_at IS NULL
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = '2026-01-15 01:00:00.000000'::timestamp
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000'::timestamp AND t.expires_at < 'infinity'::timestamp AND t.expires_at <= '2026-01-15 00:59:00.000000'::timestamp), false) AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: epoch-seconds, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND true AND t.expires_at >= 1768431599 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000)::bigint * 1000000) FROM to_end) AS last;

-- supersede: epoch-seconds, delete
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800 AND t.created_at < 2147483647 AND t.created_at <= 1768435200 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND true
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND true
    FOR UPDATE OF t SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: epoch-seconds, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND true AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000)::bigint * 1000000) FROM to_end) AS last;

-- count: epoch-seconds, delete
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AS is_over,
           coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435200), false) AS is_over_now,
           coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768348800), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768428000), false) AS was_over,
           coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE true
) AS s;

-- count by index: epoch-seconds, delete
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.expires_at > 1768348800 AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 1768435140 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 1768435200 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435200), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.expires_at > 1768428000 AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: epoch-seconds, delete
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800 AND t.created_at < 2147483647 AND t.created_at <= 1768435200 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND true
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: epoch-seconds, delete
SELECT (least(t.expires_at, 9000000000000)::bigint * 1000000) AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > 0 AND t.expires_at < 2147483647 AND t.expires_at <= 4922035200 AND true
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: epoch-seconds, delete
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 0 AND t.expires_at < 2147483647 AND t.expires_at > 4922035200 AND true
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 0 AND t.expires_at < 2147483647 AND t.expires_at < 946684800 AND true LIMIT 101) AS s
       ) AS before_2000;

-- batch: epoch-seconds, revoke by value
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.state IS DISTINCT FROM 'over'::text AND t.expires_at >= 1768431599 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000)::bigint * 1000000) FROM to_end) AS last;

-- supersede: epoch-seconds, revoke by value
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800 AND t.created_at < 2147483647 AND t.created_at <= 1768435200 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.state IS DISTINCT FROM 'over'::text
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.state IS DISTINCT FROM 'over'::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: epoch-seconds, revoke by time
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.revoked_at IS NULL AND t.expires_at >= 1768431599 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = 1768435200
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140 AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000)::bigint * 1000000) FROM to_end) AS last;

-- supersede: epoch-seconds, revoke by time
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800 AND t.created_at < 2147483647 AND t.created_at <= 1768435200 AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.revoked_at IS NULL
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.revoked_at IS NULL
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = 1768435200
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800 AND t.expires_at < 2147483647 AND t.expires_at <= 1768435140), false) AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: epoch-millis, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND true AND t.expires_at >= 1768431599999 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000000)::bigint * 1000) FROM to_end) AS last;

-- supersede: epoch-millis, delete
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800000 AND t.created_at < 9223372036854775807 AND t.created_at <= 1768435200000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND true
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND true
    FOR UPDATE OF t SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: epoch-millis, delete
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND true AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM ONLY public.sessions AS t
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000000)::bigint * 1000) FROM to_end) AS last;

-- count: epoch-millis, delete
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AS is_over,
           coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435200000), false) AS is_over_now,
           coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768348800000), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768428000000), false) AS was_over,
           coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807), false) AS has_end
    FROM ONLY public.sessions AS t
    WHERE true
) AS s;

-- count by index: epoch-millis, delete
SELECT (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.expires_at > 1768348800000 AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 1768435140000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 1768435200000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435200000), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.expires_at > 1768428000000 AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: epoch-millis, delete
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800000 AND t.created_at < 9223372036854775807 AND t.created_at <= 1768435200000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND true
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: epoch-millis, delete
SELECT (least(t.expires_at, 9000000000000000)::bigint * 1000) AS microseconds
FROM ONLY public.sessions AS t
WHERE t.expires_at > 0 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 4922035200000 AND true
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: epoch-millis, delete
SELECT EXISTS (
           SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 0 AND t.expires_at < 9223372036854775807 AND t.expires_at > 4922035200000 AND true
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM ONLY public.sessions AS t WHERE t.expires_at > 0 AND t.expires_at < 9223372036854775807 AND t.expires_at < 946684800000 AND true LIMIT 101) AS s
       ) AS before_2000;

-- batch: epoch-millis, revoke by value
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.state IS DISTINCT FROM 'over'::text AND t.expires_at >= 1768431599999 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000000)::bigint * 1000) FROM to_end) AS last;

-- supersede: epoch-millis, revoke by value
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800000 AND t.created_at < 9223372036854775807 AND t.created_at <= 1768435200000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.state IS DISTINCT FROM 'over'::text
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.state IS DISTINCT FROM 'over'::text
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET state = 'over'::text
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.state IS DISTINCT FROM 'over'::text
    RETURNING t.state IS DISTINCT FROM 'over'::text AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: epoch-millis, revoke by time
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.expires_at AS at
    FROM ONLY public.sessions AS t
    WHERE t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.revoked_at IS NULL AND t.expires_at >= 1768431599999 AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR NO KEY UPDATE SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = 1768435200000
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000 AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (least(max(at), 9000000000000000)::bigint * 1000) FROM to_end) AS last;

-- supersede: epoch-millis, revoke by time
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM ONLY public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > 946684800000 AND t.created_at < 9223372036854775807 AND t.created_at <= 1768435200000 AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.revoked_at IS NULL
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address
    FROM ONLY public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.revoked_at IS NULL
    FOR NO KEY UPDATE OF t SKIP LOCKED
),
ended AS (
    UPDATE ONLY public.sessions AS t SET revoked_at = 1768435200000
    WHERE t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e)) AND NOT coalesce((t.expires_at > 946684800000 AND t.expires_at < 9223372036854775807 AND t.expires_at <= 1768435140000), false) AND t.revoked_at IS NULL
    RETURNING t.revoked_at IS NULL AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch: timestamptz, delete, partitioned, two rules
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.tableoid AS tableoid, t.expires_at AS at
    FROM public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true AND t.expires_at >= '2026-01-14 22:59:59.999999+00'::timestamptz AND true
    ORDER BY t.expires_at
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM public.sessions AS t
    WHERE (t.tableoid, t.ctid) IN (SELECT e.tableoid, e.address FROM to_end AS e) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- supersede: timestamptz, delete, partitioned, two rules
WITH ranked AS MATERIALIZED (
    SELECT * FROM (
        SELECT t.ctid AS address, t.tableoid AS tableoid, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true
    ) AS r
    WHERE r.rank > 2 AND true
    LIMIT 500
),
to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.tableoid AS tableoid
    FROM public.sessions AS t
    JOIN ranked AS r ON t.ctid = r.address AND t.tableoid = r.tableoid AND t.created_at = r.age
    WHERE NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true
    FOR UPDATE OF t SKIP LOCKED
),
ended AS (
    DELETE FROM public.sessions AS t
    WHERE (t.tableoid, t.ctid) IN (SELECT e.tableoid, e.address FROM to_end AS e) AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM ranked) AS found,
       NULL::bigint AS last;

-- batch of a backlog: timestamptz, delete, partitioned, two rules
WITH to_end AS MATERIALIZED (
    SELECT t.ctid AS address, t.tableoid AS tableoid, t.expires_at AS at
    FROM public.sessions AS t
    WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true AND t.ctid >= '(0,0)'::tid AND t.ctid < '(1,0)'::tid AND true
    
    LIMIT 500
    FOR UPDATE SKIP LOCKED
),
ended AS (
    DELETE FROM public.sessions AS t
    WHERE (t.tableoid, t.ctid) IN (SELECT e.tableoid, e.address FROM to_end AS e) AND t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true
    RETURNING false AS is_left
)
SELECT (SELECT count(*) FROM ended WHERE NOT is_left) AS ended,
       (SELECT count(*) FROM to_end) AS found,
       (SELECT (extract(epoch FROM max(at)) * 1000000)::bigint FROM to_end) AS last;

-- count: timestamptz, delete, partitioned, two rules
SELECT count(*) FILTER (WHERE is_over) AS stale,
       count(*) FILTER (WHERE is_over AND NOT was_over_a_day_ago) AS recent,
       count(*) FILTER (WHERE NOT is_over) AS live,
       count(*) FILTER (WHERE NOT is_over_now AND has_end) AS live_now,
       count(*) FILTER (WHERE is_over AND NOT was_over) AS fresh,
       count(*) FILTER (WHERE NOT has_end) AS endless
FROM (
    SELECT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AS is_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:30:00.000000+00'::timestamptz), false) AS is_over_now,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 00:00:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-13 23:30:00.000000+00'::timestamptz), false) AS was_over_a_day_ago,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 22:00:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 22:00:00.000000+00'::timestamptz), false) AS was_over,
           coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz), false) AS has_end
    FROM public.sessions AS t
    WHERE true
) AS s;

-- count by index: timestamptz, delete, partitioned, two rules
SELECT (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 00:00:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '2026-01-14 23:59:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:30:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz AND t.expires_at > '2026-01-14 22:00:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;
SELECT (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS stale,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz AND t."lastSeen" > '2026-01-13 23:30:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS recent,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t."lastSeen" > '2026-01-14 23:29:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t."lastSeen" > '2026-01-14 23:30:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-15 00:00:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:30:00.000000+00'::timestamptz), false) AND true LIMIT 100000) AS s) AS live_now,
       (SELECT count(*) FROM (SELECT FROM public.sessions AS t WHERE t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz AND t."lastSeen" > '2026-01-14 22:00:00.000000+00'::timestamptz AND true LIMIT 100000) AS s) AS fresh,
       0::bigint AS endless;

-- count superseded: timestamptz, delete, partitioned, two rules
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        SELECT t.ctid AS address, t.tableoid AS tableoid, t."userId" AS owner, t.created_at AS age,
               rank() OVER (PARTITION BY t."userId" ORDER BY t.created_at DESC) AS rank
        FROM public.sessions AS t
        WHERE t."userId" IS NOT NULL AND t.created_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.created_at < 'infinity'::timestamptz AND t.created_at <= '2026-01-15 00:00:00.000000+00'::timestamptz AND NOT coalesce((t.expires_at > '2000-01-01 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2026-01-14 23:59:00.000000+00'::timestamptz) OR (t."lastSeen" > '2000-01-01 00:00:00.000000+00'::timestamptz AND t."lastSeen" < 'infinity'::timestamptz AND t."lastSeen" <= '2026-01-14 23:29:00.000000+00'::timestamptz), false) AND true
    ) AS r
    WHERE r.rank > 2
    GROUP BY r.owner
) AS s;

-- newest values: timestamptz, delete, partitioned, two rules
SELECT (extract(epoch FROM t.expires_at) * 1000000)::bigint AS microseconds
FROM public.sessions AS t
WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at <= '2125-12-22 00:00:00.000000+00'::timestamptz AND true
ORDER BY t.expires_at DESC
LIMIT 20;

-- outliers: timestamptz, delete, partitioned, two rules
SELECT EXISTS (
           SELECT FROM public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at > '2125-12-22 00:00:00.000000+00'::timestamptz AND true
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM public.sessions AS t WHERE t.expires_at > '1970-01-02 00:00:00.000000+00'::timestamptz AND t.expires_at < 'infinity'::timestamptz AND t.expires_at < '2000-01-01 00:00:00.000000+00'::timestamptz AND true LIMIT 101) AS s
       ) AS before_2000;
