-- How many rows of another table that are deleted with the sessions have an id that a sequence has yet to hand out, up to
-- @MOST@. The furthest id, which an index tells, is nearly always one that was handed out.
SELECT CASE WHEN (@FURTHEST@) THEN 0
            ELSE (SELECT count(*)
                  FROM (SELECT FROM @TABLE@ AS c WHERE NOT @IS_SPENT@ AND @IS_DELETED@ LIMIT @MOST@) AS s)
       END AS unspent
