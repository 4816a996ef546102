-- The newest values of a rule's column, without those that lie too far ahead.
SELECT @MICROSECONDS@ AS microseconds
FROM @TABLE@ AS t
WHERE @IS_TIME@ AND @TIME@ <= @FURTHEST@ AND @NOT_REVOKED@
ORDER BY @TIME@ DESC
LIMIT @SAMPLE@
