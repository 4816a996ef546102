-- Removes old entries, at most so many at once.
DELETE FROM ONLY pgmedic.repair_log
WHERE ctid = ANY (ARRAY(SELECT ctid FROM ONLY pgmedic.repair_log
                        WHERE at < clock_timestamp() - interval '@KEPT@' LIMIT @MOST_REMOVED@))
