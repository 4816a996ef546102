-- The addresses of the sessions that the next batch would end, so that they can be tried one by one.
SELECT @ADDRESS_TEXT@, @LAST@ AS at
FROM @TABLE@ AS t
WHERE @IS_OVER@ AND @NOT_REVOKED@ AND @FROM_CURSOR@ AND @ROWS@
@ORDER@
LIMIT @SIZE@
