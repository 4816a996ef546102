-- Locks one session, if it is still to be ended and no other transaction has locked it.
SELECT true
FROM @TABLE@ AS t
WHERE @IS_THIS@ AND @IS_MEANT@ AND @NOT_REVOKED@
FOR @LOCK@ SKIP LOCKED
