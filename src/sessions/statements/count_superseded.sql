-- How many live sessions are beyond the newest ones that their users may have, and how many of them one user has.
SELECT coalesce(sum(s.count), 0)::bigint AS superseded, coalesce(max(s.count), 0)::bigint AS superseded_of_one
FROM (
    SELECT count(*) FROM (
        @RANKED@
    ) AS r
    WHERE r.rank > @MAX@
    GROUP BY r.owner
) AS s
