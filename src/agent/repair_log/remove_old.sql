-- Removes old entries, at most so many at once. Those of which the allowance is reckoned stay: there are few of them.
DELETE FROM ONLY pgmedic.repair_log
WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY pgmedic.repair_log
                        WHERE at < clock_timestamp() - interval '@KEPT@' AND coalesce(charged, 0) = 0 AND early IS NOT TRUE
                        LIMIT @MOST_REMOVED@))
