-- Live sessions with their rank among their user's, newest first. A session without a creation time, or with one in the
-- future, has no rank: it is not ended, and no other is ended because of it.
SELECT @ADDRESS@, @USER@ AS owner, @AGE@ AS age,
               rank() OVER (PARTITION BY @USER@ ORDER BY @AGE@ DESC) AS rank
        FROM @TABLE@ AS t
        WHERE @USER@ IS NOT NULL AND @IS_TIME@ AND @AGE@ <= @NOW@ AND NOT @IS_OVER@ AND @NOT_REVOKED@
