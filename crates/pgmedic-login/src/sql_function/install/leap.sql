-- Moves a sequence forward to a value under its lock, on which running inserts wait for a moment. Returns the value that it
-- stands at, or null where the lock or the right is missing.
CREATE OR REPLACE FUNCTION pgmedic.leap(sequence oid, name text, target numeric)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET lock_timeout = '30ms'
AS $pgmedic$
DECLARE
    increment bigint;
    cache bigint;
    current numeric;
BEGIN
    -- One at a time: two that hold the sequence would wait for each other.
    IF NOT pg_try_advisory_xact_lock(x'7067656c'::integer, (sequence::bigint - 2147483648)::integer) THEN
        RETURN NULL;
    END IF;
    SELECT q.seqincrement, q.seqcache INTO increment, cache FROM pg_sequence q WHERE q.seqrelid = sequence;
    -- The same CACHE again takes the lock, and makes all sessions drop their cached values.
    EXECUTE format('ALTER SEQUENCE %s CACHE %s', name, cache);
    EXECUTE format('SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END * %s::numeric FROM %s', increment, name)
    INTO current;
    IF (target - current) * sign(increment::numeric) > 0 THEN
        PERFORM setval(sequence::regclass, target::bigint, true);
        RETURN target;
    END IF;
    RETURN current;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.leap(oid, text, numeric) FROM PUBLIC;
