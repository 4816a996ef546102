-- pgmedic @VERSION@: lets sequences follow the ids that are inserted into their columns. Run it as the tables' owner with
-- psql -X -v ON_ERROR_STOP=1: it installs everything, or says why not and installs nothing. `pgmedic sql follow --remove`
-- prints its end.
--
-- Each column gets one trigger and one function, both of the table's owner. The trigger's condition compares the new id
-- with the sequence, without a lock: an insert that draws its id pays no more than that.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
-- Inserts into the tables that are locked already wait as well.
SET LOCAL lock_timeout = '1s';
SET LOCAL quote_all_identifiers = off;
SET LOCAL standard_conforming_strings = on;
CREATE TEMPORARY VIEW pgmedic_links AS
@LINKS@;
DO $follow$
DECLARE
    everything CONSTANT boolean := @ALL@;
    always CONSTANT boolean := @ALWAYS@;
    max_id CONSTANT bigint := @MAX_ID@;
    max_columns CONSTANT integer := 500;  -- a transaction that locks many more fills the server's lock table
    body CONSTANT text := @BODY@;
    made_by CONSTANT text := 'Made by pgmedic sql follow @VERSION@; pgmedic sql follow --remove removes it';
    followed record;
    part regclass;
    refusal text;
    function text;
    unused regprocedure;
    trigger name;
    call text;
    count integer := 0;
BEGIN
    FOR followed IN
        WITH RECURSIVE wanted (schema, name, col) AS (
            VALUES @COLUMNS@
        ),
        family (schema, name, col, rel, child) AS (
            SELECT w.schema, w.name, w.col, r.oid, false
            FROM wanted w
            LEFT JOIN pg_namespace n ON n.nspname = w.schema
            LEFT JOIN pg_class r ON r.relnamespace = n.oid AND r.relname = w.name
            WHERE NOT everything
          UNION
            -- Children that inherit the column draw from the same sequence, and need separate triggers.
            SELECT f.schema, f.name, f.col, i.inhrelid, true
            FROM family f
            JOIN pg_inherits i ON i.inhparent = f.rel
            JOIN pg_class c ON c.oid = i.inhrelid AND NOT c.relispartition
        ),
        named (schema, name, col, rel, child) AS (
            SELECT * FROM family
          UNION ALL
            SELECT n.nspname, c.relname, a.attname, c.oid, false
            FROM (SELECT DISTINCT l.rel, l.att FROM pg_temp.pgmedic_links l WHERE everything) AS l
            JOIN pg_class c ON c.oid = l.rel AND c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'
            JOIN pg_namespace n ON n.oid = c.relnamespace
            JOIN pg_attribute a ON a.attrelid = l.rel AND a.attnum = l.att
        )
        SELECT n.schema, n.name, n.col, r.oid AS rel, r.relkind, r.relispartition, r.relowner, o.rolname AS owner, s.nspname,
               a.attnum, a.atthasdef, b.type, b.modifier, l.seq, l.owned, l.identity, l.expression, l.sequences,
               q.seqincrement, q.seqcycle, CASE WHEN q.seqincrement > 0 THEN q.seqmin ELSE q.seqmax END AS first,
               e.function AS old_function, e.is_foreign AS has_foreign_trigger,
               COALESCE(max_id, e.stated) AS furthest, always OR COALESCE(e.is_always, false) AS fires_always,
               qc.relowner AS sequence_owner,
               quote_ident(s.nspname) || '.' || quote_ident(r.relname) AS table_name,
               quote_ident(qn.nspname) || '.' || quote_ident(qc.relname) AS sequence_name
        FROM named n
        LEFT JOIN pg_class r ON r.oid = n.rel
        LEFT JOIN pg_namespace s ON s.oid = r.relnamespace
        LEFT JOIN pg_roles o ON o.oid = r.relowner
        LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = n.col AND a.attnum > 0 AND NOT a.attisdropped
        LEFT JOIN LATERAL (
@BASE_TYPE@
        ) AS b ON true
        LEFT JOIN LATERAL (
            SELECT k.*, count(*) OVER () AS sequences FROM pg_temp.pgmedic_links k
            WHERE k.rel = r.oid AND k.att = a.attnum ORDER BY k.identity DESC, k.expression IS NULL LIMIT 1
        ) AS l ON true
        -- What an earlier run stated holds until another is stated, or the trigger is removed.
        LEFT JOIN LATERAL (
            SELECT CASE WHEN f.oid IS NOT NULL
                        THEN nullif(split_part(encode(t.tgargs, 'escape'), chr(92) || '000', 1), '')::bigint END AS stated,
                   f.oid IS NOT NULL AND t.tgenabled = 'A' AS is_always, f.oid::regprocedure AS function,
                   f.oid IS NULL AS is_foreign
            FROM pg_trigger t
            LEFT JOIN pg_proc f ON f.oid = t.tgfoid AND obj_description(f.oid, 'pg_proc') LIKE 'Made by pgmedic sql follow %'
            WHERE t.tgrelid = r.oid AND t.tgname = format('zz_pgmedic_follow_%s', a.attnum)
        ) AS e ON true
        LEFT JOIN pg_sequence q ON q.seqrelid = l.seq
        LEFT JOIN pg_class qc ON qc.oid = l.seq
        LEFT JOIN pg_namespace qn ON qn.oid = qc.relnamespace
        WHERE l.seq IS NOT NULL OR NOT n.child
    LOOP
        call := format('nextval(''%s''::regclass)', replace(followed.seq::regclass::text, '''', ''''''));
        refusal := CASE
            WHEN followed.rel IS NULL THEN format('there is no table %I.%I', followed.schema, followed.name)
            WHEN followed.relkind = 'v' THEN format('%s is a view, and its tables have the sequences', followed.table_name)
            WHEN followed.relkind = 'f' THEN format('%s is a foreign table: follow its column on the server that holds it',
                                                    followed.table_name)
            WHEN followed.relkind NOT IN ('r', 'p') THEN format('%s is not a table', followed.table_name)
            WHEN followed.attnum IS NULL THEN format('%s has no column %I', followed.table_name, followed.col)
            WHEN followed.relispartition THEN format('%s is a partition: follow the column of the partitioned table',
                                                     followed.table_name)
            WHEN followed.seq IS NULL THEN format('no sequence feeds %s.%I', followed.table_name, followed.col)
            WHEN followed.sequences > 1 THEN format('%s sequences feed %s.%I', followed.sequences, followed.table_name,
                                                    followed.col)
            WHEN followed.seqcycle THEN format('%s cycles: its values come again', followed.sequence_name)
            WHEN followed.type NOT IN (20, 21, 23, 1700)
                 OR followed.type = 1700 AND followed.modifier <> -1 AND (followed.modifier - 4) & 2047 <> 0
                 OR NOT COALESCE(followed.expression = call
                                 OR left(followed.expression, length(call) + 1) = '(' || call
                                    AND substr(followed.expression, length(call) + 2)
                                        ~ '^\)::(smallint|integer|bigint|numeric(\([0-9]+,0\))?)$',
                                 followed.identity OR NOT followed.atthasdef)
                 THEN format('the ids of %s.%I are not the values of %s', followed.table_name, followed.col,
                             followed.sequence_name)
            WHEN (followed.furthest - followed.first::numeric) * sign(followed.seqincrement::numeric) < 0
                 THEN format('max id %s lies before %s, the first value of %s', followed.furthest, followed.first,
                             followed.sequence_name)
            -- It is unique only together with others. Named, it is meant.
            WHEN everything AND (
                WITH RECURSIVE tree (rel) AS (
                    SELECT followed.rel UNION SELECT i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.rel
                )
                SELECT bool_or(u.holds) AND NOT bool_or(u.holds AND u.alone)
                FROM (
                    SELECT bool_or(c.attname = followed.col) AS holds,
                           bool_and(COALESCE(c.attname = followed.col OR c.attgenerated <> ''
                                    OR c.attname IN (SELECT p.attname FROM tree r
                                                     JOIN pg_partitioned_table d ON d.partrelid = r.rel
                                                     JOIN pg_attribute p ON p.attrelid = d.partrelid
                                                                        AND p.attnum = ANY (d.partattrs::smallint[])), true)) AS alone
                    FROM tree t
                    JOIN pg_index x ON x.indrelid = t.rel AND (x.indisunique OR x.indisexclusion)
                    CROSS JOIN LATERAL unnest(x.indkey::smallint[]) WITH ORDINALITY AS k (att, place)
                    LEFT JOIN pg_attribute c ON c.attrelid = x.indrelid AND c.attnum = k.att AND c.attnum > 0
                    WHERE k.place <= x.indnkeyatts
                    GROUP BY x.indexrelid
                ) AS u)
                 THEN format('%s.%I is unique only together with others, so its numbers may start again on purpose: name it to '
                             'follow it', followed.table_name, followed.col)
            WHEN NOT pg_has_role(current_user, followed.relowner, 'USAGE')
                 THEN format('%s belongs to %I: run this as that role', followed.table_name, followed.owner)
            WHEN NOT has_schema_privilege(followed.nspname, 'CREATE')
                 THEN format('%I may not create a function in schema %I', current_user, followed.nspname)
            -- Only a superuser gives a function to a role that could not have made it.
            WHEN NOT has_schema_privilege(followed.owner, followed.nspname, 'CREATE')
                 AND NOT (SELECT u.rolsuper FROM pg_roles u WHERE u.rolname = current_user)
                 THEN format('%I, who owns %s, may not create a function in schema %I', followed.owner, followed.table_name,
                             followed.nspname)
            WHEN followed.has_foreign_trigger
                 THEN format('the trigger zz_pgmedic_follow_%s on %s was not made by pgmedic sql follow', followed.attnum,
                             followed.table_name)
            WHEN NOT has_sequence_privilege(followed.owner, followed.seq, 'USAGE, UPDATE')
                 OR NOT followed.owned AND followed.sequence_owner <> followed.relowner
                    AND NOT has_sequence_privilege(followed.owner, followed.seq, 'UPDATE')
                 THEN format('%I, who owns %s, may not move %s', followed.owner, followed.table_name, followed.sequence_name)
            END;
        IF refusal IS NOT NULL THEN
            -- Of all columns, those that can be followed are.
            IF everything THEN
                RAISE WARNING 'not followed: %', refusal;
                CONTINUE;
            END IF;
            RAISE object_not_in_prerequisite_state USING MESSAGE = refusal;
        END IF;
        count := count + 1;
        IF count > max_columns THEN
            RAISE program_limit_exceeded USING
                MESSAGE = format('more than %s columns would be locked at once', max_columns),
                HINT = 'Name them in parts: pgmedic sql follow TABLE.COLUMN…';
        END IF;

        -- The last of the BEFORE triggers, in the order of names, sees the id that is stored.
        trigger := format('zz_pgmedic_follow_%s', followed.attnum);
        IF followed.old_function IS NOT NULL THEN
            EXECUTE format('DROP TRIGGER %I ON %s', trigger, followed.table_name);
            unused := followed.old_function;
@DROP_UNUSED@
        END IF;
        -- A function that another role has created under this name could be replaced by that role, so each run creates a new one.
        SELECT format('%I.%I', followed.nspname, f.name) INTO STRICT function
        FROM (SELECT concat_ws('_', 'pgmedic_follow', left(md5(concat_ws('.', followed.table_name, followed.attnum)), 16),
                               nullif(n, 0)), n
              FROM generate_series(0, 1000) AS n) AS f (name, n)
        WHERE NOT EXISTS (SELECT FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
                          WHERE p.proname = f.name AND s.nspname = followed.nspname)
        ORDER BY f.n
        LIMIT 1;
        EXECUTE format('CREATE FUNCTION %s() RETURNS trigger LANGUAGE plpgsql VOLATILE SECURITY DEFINER
                        SET search_path = pg_catalog, pg_temp AS %L',
                       function,
                       replace(replace(body, '@HIGHEST@', CASE followed.type
                           WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 WHEN 20 THEN 9223372036854775807
                           ELSE least(9223372036854775807, CASE WHEN followed.modifier >= 0
                               THEN power(10::numeric, ((followed.modifier - 4) >> 16) & 65535) - 1
                               ELSE 9223372036854775807 END) END::text),
                           '@COLUMN@', quote_ident(followed.col)));
        EXECUTE format('REVOKE ALL ON FUNCTION %s() FROM PUBLIC', function);
        EXECUTE format('COMMENT ON FUNCTION %s() IS %L', function, made_by);
        -- A role without a privilege on the sequence may not read it: then the function does.
        EXECUTE format('CREATE TRIGGER %1$I BEFORE INSERT OR UPDATE OF %2$I ON %3$s FOR EACH ROW
                        WHEN (CASE WHEN has_sequence_privilege(%4$L::regclass::oid, ''USAGE, SELECT'')
                              THEN COALESCE(NEW.%2$I %5$s pg_sequence_last_value(%4$L::regclass), true) ELSE true END)
                        EXECUTE FUNCTION %6$s(%7$s)',
                       trigger, followed.col, followed.table_name, followed.sequence_name,
                       CASE WHEN followed.seqincrement > 0 THEN '>' ELSE '<' END, function,
                       quote_literal(followed.furthest));
        IF followed.relowner <> quote_ident(current_user)::regrole THEN
            EXECUTE format('ALTER FUNCTION %s() OWNER TO %I', function, followed.owner);
        END IF;
        IF followed.fires_always THEN
            FOR part IN
                SELECT t.relid FROM pg_partition_tree(followed.rel::regclass) AS t
                JOIN pg_class c ON c.oid = t.relid AND c.relkind IN ('r', 'p')
              UNION
                SELECT followed.rel::regclass
            LOOP
                EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER %I', part, trigger);
            END LOOP;
        END IF;
        RAISE INFO '%.% is followed by %', followed.table_name, quote_ident(followed.col), followed.sequence_name;
    END LOOP;
    IF count = 0 THEN
        RAISE WARNING 'no column is followed: no sequence feeds one';
    END IF;
END
$follow$;
DROP VIEW pg_temp.pgmedic_links;
COMMIT;
