-- Whether values of a rule's column lie too far ahead, and how many lie too far back, up to @MOST@.
SELECT EXISTS (
           SELECT FROM @TABLE@ AS t WHERE @IS_TIME@ AND @TIME@ > @FURTHEST@ AND @NOT_REVOKED@
       ) AS has_far_future,
       (SELECT count(*)
        FROM (SELECT FROM @TABLE@ AS t WHERE @IS_TIME@ AND @TIME@ < @EARLIEST@ AND @NOT_REVOKED@ LIMIT @MOST@) AS s
       ) AS before_2000
