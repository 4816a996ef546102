-- The addresses of the sessions that the next batch would end, so that they can be tried apart.
SELECT @ADDRESS_TEXT@
FROM @TABLE@ AS t
WHERE @IS_OVER@ AND @NOT_REVOKED@ AND @FROM_CURSOR@ AND @ROWS@
ORDER BY @TIME@
LIMIT @SIZE@
