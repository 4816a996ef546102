-- Lets one session at a time repair what feeds a table. Returns whether another session did so while this call waited: then
-- the insert should run again, and nothing needs to be read. After a drift, a hundred logins on new connections would
-- otherwise read the catalog at the same time.
CREATE OR REPLACE FUNCTION pgmedic.wait_for_repair("table" oid)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET lock_timeout = '250ms'  -- a session that keeps its transaction open after the repair is not waited for
AS $pgmedic$
DECLARE
    class CONSTANT integer := x'7067726d'::integer;
    object CONSTANT integer := ("table"::bigint - 2147483648)::integer;
BEGIN
    -- The lock is exclusive for the one that repairs, and shared by those that have waited. So who gets it at once, in either
    -- mode, has not waited for a repair.
    IF pg_try_advisory_xact_lock(class, object) OR pg_try_advisory_xact_lock_shared(class, object) THEN
        RETURN false;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(class, object);
    RETURN true;
EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
    RETURN false;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.wait_for_repair(oid) FROM PUBLIC;
