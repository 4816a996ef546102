DECLARE
    near CONSTANT numeric := 100000;  -- values that are handed out for one id
    -- And at most this share of the range, less the more of it is used, and one value from `warn_used_ratio` on: no number of
    -- ids uses up more than that, but for values that their rows hold. No row is read, so that no allowance can be kept.
    near_ratio CONSTANT numeric := 0.01;
    warn_used_ratio CONSTANT numeric := 0.75;
    id numeric;
    sequence record;
    last numeric;
    gap numeric;
    reach numeric;
BEGIN
    -- The row is inserted also where something goes wrong here.
    BEGIN
        id := NEW.@COLUMN@;
        -- The sequence is the one that the trigger's condition names, also after it was renamed.
        -- The trigger's argument is the furthest id of the sequence, if stated: least and greatest pass over NULL.
        SELECT q.*, CASE WHEN q.seqincrement > 0 THEN least(q.seqmax, @HIGHEST@::numeric, TG_ARGV[0]::numeric)
                    ELSE greatest(q.seqmin, -@HIGHEST@::numeric - 1, TG_ARGV[0]::numeric) END AS fit,
               (CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END)::numeric - q.seqincrement AS before_first
        INTO STRICT sequence
        -- Only the original of a partition's copies of the trigger depends on the sequence. It may be a partition's, too.
        FROM (WITH RECURSIVE up (trigger, parent) AS (
                  SELECT t.oid, t.tgparentid FROM pg_trigger t WHERE t.tgrelid = TG_RELID AND t.tgname = TG_NAME
                UNION ALL
                  SELECT t.oid, t.tgparentid FROM up JOIN pg_trigger t ON t.oid = up.parent
              )
              SELECT trigger FROM up WHERE parent = 0) AS o
        JOIN pg_depend d ON d.classid = 'pg_trigger'::regclass AND d.objid = o.trigger AND d.refclassid = 'pg_class'::regclass
        JOIN pg_sequence q ON q.seqrelid = d.refobjid
        LIMIT 1;
        last := pg_sequence_last_value(sequence.seqrelid::regclass);
        IF last IS NULL THEN
            -- It has handed out no value yet.
            EXECUTE format('SELECT last_value - %s::numeric FROM %s', sequence.seqincrement, sequence.seqrelid::regclass)
            INTO last;
        END IF;
        gap := (id - last) / sequence.seqincrement;
        -- Past an id at the limit there is no value to go to, and a draw takes as many values as a session caches. Ids of other
        -- residue classes are not its own.
        IF gap > 0 AND (sequence.fit - id) / sequence.seqincrement >= sequence.seqcache
           AND mod(id - last, sequence.seqincrement) = 0
           AND NOT sequence.seqcycle THEN
            reach := near_ratio * ((sequence.fit - sequence.before_first) - (last - sequence.before_first) / warn_used_ratio)
                     / sequence.seqincrement;
            IF gap <= near AND gap + sequence.seqcache - 1 <= greatest(1, reach) THEN
                -- OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at the first value far enough.
                IF gap > 1 OR (nextval(sequence.seqrelid::regclass) - id) * sign(sequence.seqincrement::numeric) < 0 THEN
                    PERFORM FROM (SELECT nextval(sequence.seqrelid::regclass) AS value
                                  FROM generate_series(1, gap::bigint + least(sequence.seqcache - 1, 1000000)) OFFSET 0) AS h
                    WHERE (h.value - id) * sign(sequence.seqincrement::numeric) >= 0
                    LIMIT 1;
                END IF;
            -- Ids far away are left alone, and the agent is told: once in ten seconds a session, and never in a worker of
            -- logical replication, whose transactions may be prepared.
            ELSIF current_setting('session_replication_role') <> 'replica'
                  AND COALESCE(current_setting('pgmedic.notify', true), '') NOT IN ('off', 'false', 'no', '0')
                  AND COALESCE(nullif(current_setting('pgmedic.far_ids_told', true), ''), '0')::numeric
                      < date_part('epoch', clock_timestamp()) - 10
                  AND pg_notification_queue_usage() < 0.9 THEN
                PERFORM set_config('pgmedic.far_ids_told', date_part('epoch', clock_timestamp())::text, false);
                PERFORM pg_notify('pgmedic', sequence.seqrelid::regclass::text);
            END IF;
        END IF;
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'the sequence of % does not follow its ids, run pgmedic sql follow again: %',
            TG_RELID::regclass, SQLERRM;
    END;
    RETURN NEW;
END
