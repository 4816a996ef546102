-- What pgmedic.repair does when no other session does it. Runs with the rights of the function that calls it.
CREATE OR REPLACE FUNCTION pgmedic.repair_alone("table" regclass, "column" name)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
SET search_path = pg_catalog, pg_temp
SET row_security = off           -- rows that a policy hides are an error, not a wrong maximum
SET quote_all_identifiers = off  -- this and the next: defaults are compared as they are spelt
SET standard_conforming_strings = on
SET lock_timeout = '100ms'       -- a login waits
SET enable_seqscan = off         -- this and the next two: every look-up is for a few rows, by index
SET enable_hashjoin = off
SET enable_mergejoin = off
SET join_collapse_limit = 1       -- planning takes most of a connection's first call
SET from_collapse_limit = 1
SET plan_cache_mode = force_generic_plan
SET jit = off
AS $pgmedic$
DECLARE
    advance_limit CONSTANT numeric := 100000;  -- values that one call hands out; about 30 ms
    max_ratio CONSTANT numeric := 0.01;        -- of the range, for one step
    window_limit CONSTANT numeric := 1000;     -- values that are looked for one by one
    max_relations CONSTANT integer := 500;     -- a transaction that locks many more fills the server's lock table
    -- The role whose privileges are checked: inside this function current_user is the function's owner.
    caller CONSTANT name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    -- Whether this transaction has written nothing so far.
    fresh CONSTANT boolean := pg_current_xact_id_if_assigned() IS NULL;
    sequence record;
    feed record;
    select_id CONSTANT text := '(SELECT %1$s(t.%2$I) FROM %3$s AS t WHERE t.%2$I BETWEEN %4$s AND %5$s AND %6$s)::numeric';
    furthest text[];        -- for each column: the query of its furthest id from $1 to $2,
    closest text[];         -- of its nearest,
    seen text[];            -- of its furthest beyond the next value,
    taken text[];           -- the condition that it holds v.id,
    ids text[];             -- and the query of its ids from $1 to $2
    names text[];           -- of the relations that are read
    oids oid[];             -- of the same relations
    members oid[];          -- these relations, and their partitions and children
    ascending boolean;
    toward text;            -- the aggregates of the furthest and of the nearest id
    back text;
    kind text;
    own text;
    source text;
    key boolean;            -- an insert of a taken id fails; or else whether the column is part of a longer primary key
    part_of_key boolean;
    indexed boolean;
    one_by_one boolean;
    untrusted text;
    counted boolean;        -- a link of this table, or of one that it is a partition of, counts
    uncounted text;         -- the table whose link does not
    last_fit numeric;       -- the last value that fits the sequence and all columns
    next_value numeric;
    last numeric;           -- the number of last_fit, counted from 0, the next value; like the following
    step numeric;
    nearest numeric;
    max_id numeric;
    passed numeric;
    charged numeric;        -- of the values that are passed, those that no id held
    held text;
    reached bigint;
    total bigint := 0;
    found_any boolean := false;
    relations integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE undefined_column USING MESSAGE = format('%s has no column %I', $1, $2);
    END IF;
    -- The caller may insert into the table, or into one that it is a partition of.
    IF NOT (has_any_column_privilege(caller, $1::oid, 'INSERT')
            AND has_schema_privilege(caller, (SELECT c.relnamespace FROM pg_class c WHERE c.oid = $1), 'USAGE'))
       AND NOT EXISTS (
        WITH RECURSIVE up (rel) AS (
            SELECT $1::oid
          UNION
            SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.rel
        )
        SELECT FROM up JOIN pg_class c ON c.oid = up.rel
        WHERE has_schema_privilege(caller, c.relnamespace, 'USAGE') AND has_any_column_privilege(caller, c.oid, 'INSERT')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%I may not insert into %s', caller, $1);
    END IF;

    FOR sequence IN SELECT * FROM pgmedic.sequences_of($1, $2) LOOP
        found_any := true;
        IF sequence.cycle THEN
            RAISE feature_not_supported USING MESSAGE = format('%s cycles: its values come again', sequence.name);
        END IF;
        -- A role that may not use the sequence could not insert with its default. An identity column needs no such privilege.
        IF NOT (sequence.identity OR has_sequence_privilege(caller, sequence.seq, 'USAGE, UPDATE')) THEN
            RAISE insufficient_privilege USING MESSAGE = format('%I may not use %s', caller, sequence.name);
        END IF;

        -- Every column that the sequence feeds, with the queries that read it.
        ascending := sequence.increment > 0;
        toward := CASE WHEN ascending THEN 'max' ELSE 'min' END;
        back := CASE WHEN ascending THEN 'min' ELSE 'max' END;
        counted := false;
        uncounted := NULL;
        furthest := '{}';
        closest := '{}';
        seen := '{}';
        taken := '{}';
        ids := '{}';
        names := ARRAY[sequence.name];
        oids := ARRAY[sequence.seq];
        members := ARRAY[sequence.seq];
        indexed := true;
        key := false;
        part_of_key := false;
        last_fit := CASE WHEN sequence.increment > 0 THEN sequence.max ELSE sequence.min END;
        FOR feed IN SELECT * FROM pgmedic.feeds_of(sequence.seq, CASE WHEN sequence.sole THEN $1 END, $2) LOOP
            IF NOT feed.counts THEN
                uncounted := CASE WHEN $1 = ANY (feed.members) AND feed.attname = $2 THEN feed.name ELSE uncounted END;
                CONTINUE;
            END IF;
            counted := counted OR $1 = ANY (feed.members);
            -- Also where it is not read here: the form with a constraint reads the table after this.
            IF feed.untrusted IS NOT NULL THEN
                RAISE insufficient_privilege USING
                    MESSAGE = format('pgmedic.repair serves tables of %I and of superusers, not %s', current_user,
                                     feed.untrusted),
                    HINT = 'Install it as the owner of the tables and their schemas: pgmedic sql install --owner NAME.';
            END IF;
            CONTINUE WHEN NOT feed.supported OR feed.has_foreign;
            last_fit := CASE WHEN sequence.increment > 0 THEN least(last_fit, feed.highest)
                        ELSE greatest(last_fit, -feed.highest - CASE WHEN feed.type = 1700 THEN 0 ELSE 1 END) END;
            -- If a column is not alone in a unique key, no insert fails, and its numbers may start again on purpose.
            CONTINUE WHEN feed.any_keyed AND NOT feed.keyed;
            key := feed.any_keyed;
            part_of_key := part_of_key OR feed.in_primary_key;
            source := CASE WHEN feed.alone THEN 'ONLY ' ELSE '' END || feed.name;
            names := names || feed.name;
            oids := oids || feed.rel;
            members := members || feed.members;
            indexed := indexed AND feed.indexed;
            relations := relations + feed.relations;
            IF relations > max_relations THEN
                RAISE program_limit_exceeded USING
                    MESSAGE = format('%s feeds too many partitions to read them at once', sequence.name),
                    HINT = 'The agent reads them in turn.';
            END IF;
            kind := CASE WHEN feed.type = 1700 THEN 'numeric' ELSE 'bigint' END;
            -- A value of an integer column is compared as such, or no index serves it. Fractions are no ids of a
            -- sequence; an equality would make the planner expect one row of them, and read all.
            own := CASE WHEN feed.type = 1700 THEN format('abs(mod(t.%I, 1)) <= 0', feed.attname) ELSE 'true' END;
            furthest := furthest || format(select_id, toward, feed.attname, source, '$1::' || kind, '$2::' || kind, own);
            closest := closest || format(select_id, back, feed.attname, source, '$1::' || kind, '$2::' || kind, own);
            taken := taken || format('COALESCE((SELECT true FROM %2$s AS t WHERE t.%1$I = v.id::%3$s LIMIT 1), false)',
                                     feed.attname, source, kind);
            ids := ids || format('SELECT FROM %2$s AS t WHERE t.%1$I BETWEEN $1::%3$s AND $2::%3$s',
                                 feed.attname, source, kind);
            -- The same as furthest, in the statement that reads the next value, and of its residue class.
            seen := seen || format(
                select_id, toward, feed.attname, source, format('(SELECT least(s.next, f.fit) FROM s, f)::%s', kind),
                format('(SELECT greatest(s.next, f.fit) FROM s, f)::%s', kind),
                CASE WHEN feed.type = 1700 OR abs(sequence.increment) > 1
                     THEN format('mod(t.%I::numeric - (SELECT s.next FROM s), %s) = 0', feed.attname, sequence.increment)
                     ELSE 'true' END);
        END LOOP;
        -- Otherwise a role that may create a table could move another role's sequence, and have its table read.
        IF uncounted IS NOT NULL AND NOT counted THEN
            RAISE insufficient_privilege USING
                MESSAGE = format('the owner of %s does not own %s', uncounted, sequence.name);
        END IF;
        IF cardinality(furthest) = 0 THEN
            RAISE feature_not_supported USING
                MESSAGE = format('%s feeds no column whose ids are its own values', sequence.name);
        END IF;

        -- No column is alone in a unique key, so no insert fails; and to look would read the whole table.
        CONTINUE WHEN NOT (key OR part_of_key OR indexed);

        -- The checks above are by OID, and the reads are by name. So all relations are locked, and the names are compared with
        -- the OIDs again: the name of a locked relation cannot change. (LOCK accepts no sequence; this function locks it.)
        PERFORM pg_sequence_last_value(sequence.seq::regclass);
        EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', array_to_string(names[2:], ', '));
        IF EXISTS (SELECT FROM unnest(names, oids) AS n (name, rel) WHERE to_regclass(n.name) IS DISTINCT FROM n.rel) THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('another session is changing %s or a table that it feeds', sequence.name);
        END IF;
        untrusted := NULL;
        IF EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.oid = ANY (members)
                     AND (c.relowner <> quote_ident(current_user)::regrole OR n.nspowner <> quote_ident(current_user)::regrole)) THEN
            SELECT min(w.found) INTO untrusted FROM pgmedic.untrusted_relations w WHERE w.rel = ANY (members);
        END IF;
        IF untrusted IS NOT NULL THEN
            RAISE insufficient_privilege USING
                MESSAGE = format('pgmedic.repair serves sequences of %I and of superusers, not %s', current_user, untrusted),
                HINT = 'Install it as the owner of the sequence and its schema: pgmedic sql install --owner NAME.';
        END IF;

        -- One statement, one snapshot, taken before the sequence is read: a healthy insert never looks like drift. The own
        -- values of a residue class cannot be told from others' by a range, so they are looked for one by one.
        step := greatest(1, least(advance_limit, trunc(max_ratio * least(2147483648,
            abs(last_fit - CASE WHEN ascending THEN sequence.min ELSE sequence.max END)
                / abs(sequence.increment) + 1))));
        one_by_one := indexed AND abs(sequence.increment) > 1;
        IF one_by_one THEN
            step := least(step, window_limit);
        END IF;
        EXECUTE format(
            'WITH s AS MATERIALIZED (
                 SELECT s.last_value::numeric + CASE WHEN s.is_called THEN %1$s ELSE 0 END AS next FROM %2$s AS s),
             f (fit) AS MATERIALIZED (SELECT %3$s::numeric)
             SELECT s.next, CASE WHEN s.next BETWEEN %4$s AND %5$s THEN (%6$s) END FROM s',
            sequence.increment, sequence.name, last_fit,
            CASE WHEN ascending THEN sequence.min ELSE last_fit END,
            CASE WHEN ascending THEN last_fit ELSE sequence.max END,
            CASE WHEN one_by_one THEN
                format('SELECT max(v.k) FROM (SELECT k, s.next + k * %s AS id FROM generate_series(0, %s) AS k OFFSET 0) AS v
                        WHERE v.id BETWEEN %s AND %s AND (%s)', sequence.increment, step - 1,
                       CASE WHEN ascending THEN sequence.min ELSE last_fit END,
                       CASE WHEN ascending THEN last_fit ELSE sequence.max END, array_to_string(taken, ' OR '))
            ELSE
                format('div(%s(%s) - s.next, %s)', CASE WHEN ascending THEN 'greatest' ELSE 'least' END,
                       array_to_string(seen, ', '), sequence.increment)
            END)
        INTO next_value, max_id;

        passed := NULL;
        charged := NULL;
        held := NULL;
        IF max_id IS NULL THEN
            CONTINUE WHEN sequence.cache = 1;
            -- This session has cached values before the next value. Only it can hand them out.
            passed := -1;
        ELSE
            last := div(last_fit - next_value, sequence.increment);
            IF NOT key THEN
                IF part_of_key AND max_id < least(step, last) THEN passed := max_id; ELSE held := 'no_unique_key'; END IF;
            ELSIF NOT indexed THEN
                -- Each look would read the whole table.
                IF max_id < least(step, last) THEN passed := max_id; ELSE held := 'no_index'; END IF;
            ELSIF max_id < least(step, window_limit, last - 1) AND NOT one_by_one THEN
                -- The usual lag. All of it would count as one thin stretch at most.
                passed := max_id;
                EXECUTE format('SELECT $3 - count(*) FROM (%s LIMIT $3) AS few', array_to_string(ids, ' UNION ALL '))
                INTO charged
                USING least(next_value, next_value + max_id * sequence.increment),
                      greatest(next_value, next_value + max_id * sequence.increment), max_id::bigint + 1;
            ELSE
                IF one_by_one THEN
                    EXECUTE format('SELECT min(v.k) FROM (SELECT k, $1 + k * $2 AS id FROM generate_series(0, $3) AS k OFFSET 0)
                                    AS v WHERE %s', array_to_string(taken, ' OR '))
                    INTO nearest USING next_value, sequence.increment, max_id;
                ELSE
                    EXECUTE format('SELECT abs(%s(%s) - $3)', CASE WHEN ascending THEN 'least' ELSE 'greatest' END,
                                   array_to_string(closest, ', '))
                    INTO nearest USING least(next_value, last_fit), greatest(next_value, last_fit), next_value;
                END IF;
                IF nearest >= step THEN
                    held := 'far_ids';
                ELSE
                    SELECT b.passed, b.held, b.charged INTO passed, held, charged
                    FROM pgmedic.block_end(
                        next_value, sequence.increment, last, step, nearest,
                        CASE WHEN NOT one_by_one THEN
                            format('%s(%s)', CASE WHEN ascending THEN 'greatest' ELSE 'least' END,
                                   array_to_string(furthest, ', ')) END,
                        array_to_string(taken, ' OR '), array_to_string(ids, ' UNION ALL ')) AS b;
                END IF;
            END IF;
            IF held IS NOT NULL THEN
                RAISE WARNING '% has ids ahead that a login does not pass (%): run pgmedic --once', sequence.name, held;
                PERFORM pgmedic.log_repair(caller, sequence.name, 'held', next_value, NULL, NULL);
                CONTINUE WHEN passed IS NULL;
            END IF;
        END IF;

        reached := NULL;
        IF passed >= advance_limit THEN
            -- To hand them out one by one takes too long. The sequence's lock, on which other inserts wait, is taken only where
            -- this call seems to be its whole transaction, and so ends at once.
            IF fresh AND statement_timestamp() - transaction_timestamp() < interval '5 ms' THEN
                reached := pgmedic.leap(sequence.seq, sequence.name, next_value + passed * sequence.increment);
            END IF;
            IF reached IS NULL THEN
                RAISE WARNING '% is % values behind: this call passes % of them', sequence.name, passed + 1, advance_limit;
                passed := advance_limit - 1;
            END IF;
        END IF;
        IF reached IS NULL THEN
            -- OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at the first value far enough.
            SELECT h.value INTO reached
            FROM (SELECT nextval(q.seqrelid::regclass) AS value
                  FROM pg_sequence q,
                       generate_series(1, greatest(passed + 1, 1)::bigint + least(sequence.cache - 1, 1000000))
                  WHERE q.seqrelid = sequence.seq AND q.seqincrement = sequence.increment AND NOT q.seqcycle
                  OFFSET 0) AS h
            WHERE (h.value - (next_value + passed * sequence.increment)) * sign(sequence.increment::numeric) >= 0
            LIMIT 1;
        END IF;
        IF passed >= 0 THEN
            total := total + passed::bigint + 1;
            -- Without an index, all of it counts as burnt.
            PERFORM pgmedic.log_repair(caller, sequence.name, 'repaired', next_value,
                                       reached + sequence.increment::numeric, least(COALESCE(charged, passed + 1), passed + 1));
        END IF;
    END LOOP;
    IF NOT found_any THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('no sequence feeds %s.%I', $1, $2);
    END IF;
    RETURN total;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.repair_alone(regclass, name) FROM PUBLIC;

-- Moves the sequences that feed a column past the ids that they would run into, forward only. Returns the number of values
-- that it used: 0 when no sequence was behind, for instance because another session has repaired it. So insert again in
-- either case, a few times at most.
CREATE OR REPLACE FUNCTION pgmedic.repair("table" regclass, "column" name)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $pgmedic$
BEGIN
    RETURN CASE WHEN pgmedic.wait_for_repair($1) THEN 0 ELSE pgmedic.repair_alone($1, $2) END;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.repair(regclass, name) FROM PUBLIC;
