-- Removes what `pgmedic sql follow` created, and nothing else. Run it with: psql -X -v ON_ERROR_STOP=1
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
SET LOCAL lock_timeout = '1s';
DO $follow$
DECLARE
    everything CONSTANT boolean := @ALL@;
    wanted record;
    found record;
    unused regprocedure;
    count integer := 0;
BEGIN
    FOR wanted IN
        SELECT w.schema, w.name, w.col, r.oid AS rel
        FROM (VALUES @COLUMNS@) AS w (schema, name, col)
        LEFT JOIN pg_namespace n ON n.nspname = w.schema
        LEFT JOIN pg_class r ON r.relnamespace = n.oid AND r.relname = w.name
        LEFT JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = w.col AND a.attnum > 0 AND NOT a.attisdropped
        WHERE NOT everything AND a.attnum IS NULL
    LOOP
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = format('there is no column %I.%I.%I', wanted.schema, wanted.name, wanted.col);
    END LOOP;
    FOR found IN
        WITH RECURSIVE named (rel, col) AS (
            SELECT r.oid, w.col
            FROM (VALUES @COLUMNS@) AS w (schema, name, col)
            JOIN pg_namespace n ON n.nspname = w.schema
            JOIN pg_class r ON r.relnamespace = n.oid AND r.relname = w.name
          UNION
            SELECT i.inhrelid, n.col FROM named n JOIN pg_inherits i ON i.inhparent = n.rel
        )
        SELECT t.tgname, c.oid::regclass AS rel, p.oid::regprocedure AS function
        FROM pg_trigger t
        JOIN pg_proc p ON p.oid = t.tgfoid
        JOIN pg_class c ON c.oid = t.tgrelid AND pg_has_role(current_user, c.relowner, 'USAGE')
        -- A partition's copy goes with its original.
        WHERE t.tgparentid = 0 AND obj_description(p.oid, 'pg_proc') LIKE 'Made by pgmedic sql follow %'
          AND (everything
               OR EXISTS (SELECT FROM named n JOIN pg_attribute a ON a.attrelid = n.rel AND a.attname = n.col
                          WHERE n.rel = c.oid AND t.tgname = format('zz_pgmedic_follow_%s', a.attnum)))
    LOOP
        count := count + 1;
        EXECUTE format('DROP TRIGGER %I ON %s', found.tgname, found.rel);
        unused := found.function;
@DROP_UNUSED@
        RAISE INFO '% is not followed any more', found.rel;
    END LOOP;
    IF count = 0 THEN
        RAISE WARNING 'nothing is removed: no such column of this role is followed';
    END IF;
    -- Of tables that were dropped.
    FOR unused IN
        SELECT p.oid FROM pg_proc p
        WHERE everything AND p.proname LIKE 'pgmedic\_follow\_%' AND pg_has_role(current_user, p.proowner, 'USAGE')
          AND obj_description(p.oid, 'pg_proc') LIKE 'Made by pgmedic sql follow %'
    LOOP
@DROP_UNUSED@
    END LOOP;
END
$follow$;
COMMIT;
