-- The same, from what a driver tells of a duplicate key: the schema, the table and the constraint of the error (SQLSTATE
-- 23505). Returns whether the insert should run again: true where a sequence that feeds the key was behind, or had handed
-- the taken id out to this session before another one repaired it. False, and cheap, for any other duplicate.
CREATE OR REPLACE FUNCTION pgmedic.repair("schema" text, "table" text, "constraint" text)
RETURNS boolean
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_hashjoin = off
SET enable_mergejoin = off
SET quote_all_identifiers = off
SET join_collapse_limit = 1
SET from_collapse_limit = 1
SET plan_cache_mode = force_generic_plan
SET jit = off
SET lock_timeout = '100ms'
AS $pgmedic$
DECLARE
    violated record;
    id name;
    sequence record;
    drawn boolean;
BEGIN
    -- An index is in the schema of its table. Names are looked up in the server's caches: planning a join takes longer.
    SELECT x.indrelid::regclass AS rel, x.indnkeyatts AS columns, (x.indkey::smallint[])[0:x.indnkeyatts - 1] AS key
    INTO violated
    FROM pg_index x
    WHERE x.indexrelid = to_regclass(quote_ident($1) || '.' || quote_ident($3)) AND x.indisunique
      AND x.indrelid = to_regclass(quote_ident($1) || '.' || quote_ident($2));
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    -- The key is one column. In a partitioned table, columns that choose the partition may be part of it.
    IF violated.columns = 1 THEN
        SELECT a.attname INTO id FROM pg_attribute a WHERE a.attrelid = violated.rel AND a.attnum = violated.key[1];
    ELSE
        WITH RECURSIVE up (rel) AS (
            SELECT violated.rel::oid
          UNION
            SELECT h.inhparent FROM up JOIN pg_inherits h ON h.inhrelid = up.rel
        )
        SELECT min(a.attname::text)::name INTO id
        FROM pg_attribute a
        WHERE a.attrelid = violated.rel AND a.attnum = ANY (violated.key)
          AND NOT EXISTS (SELECT FROM up
                          JOIN pg_partitioned_table p ON p.partrelid = up.rel
                          JOIN pg_attribute c ON c.attrelid = up.rel AND c.attnum = ANY (p.partattrs::smallint[])
                          WHERE c.attname = a.attname)
        HAVING count(*) = 1;
    END IF;
    IF id IS NULL THEN
        RETURN false;
    END IF;
    IF pgmedic.wait_for_repair(violated.rel) THEN
        BEGIN
            -- That session has just committed its entry.
            IF EXISTS (SELECT FROM pgmedic.repair_log e
                       WHERE e.at > clock_timestamp() - interval '10 s' AND e.outcome = 'repaired') THEN
                RETURN true;
            END IF;
        EXCEPTION WHEN OTHERS THEN
            NULL;  -- Without the log, this session looks itself.
        END;
    END IF;
    IF NOT EXISTS (SELECT FROM pgmedic.sequences_of(violated.rel, id)) THEN
        RETURN false;
    END IF;
    IF pgmedic.repair_alone(violated.rel, id) > 0 THEN
        RETURN true;
    END IF;
    -- Not behind, or not any more. Where this session has drawn a value that is taken, the sequence was behind.
    FOR sequence IN SELECT s.seq, s.name FROM pgmedic.sequences_of(violated.rel, id) AS s LOOP
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT FROM %I.%I AS t WHERE t.%I = (SELECT currval($1)))', $1, $2, id)
            INTO drawn USING sequence.seq::regclass;
        EXCEPTION WHEN object_not_in_prerequisite_state THEN
            -- This session has drawn none, as on another connection of a pool. So what counts is that there was a repair.
            BEGIN
                drawn := EXISTS (SELECT FROM pgmedic.repair_log e
                                 WHERE e.at > clock_timestamp() - interval '1 minute' AND e.sequence = sequence.name
                                   AND e.outcome = 'repaired');
            EXCEPTION WHEN OTHERS THEN
                drawn := true;
            END;
        END;
        IF drawn THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.repair(text, text, text) FROM PUBLIC;
