-- The addresses of the superseded sessions that the next batch would end.
SELECT @ADDRESS_TEXT@, NULL::bigint AS at
FROM (
    @RANKED@
) AS r
WHERE r.rank > @MAX@ AND @ROWS@
@ORDER@
LIMIT @SIZE@
