-- Removes what `pgmedic sql install` created, including the log's entries, and nothing else.
-- Run it with: psql -X -v ON_ERROR_STOP=1
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
DO $uninstall$
BEGIN
    -- Only the schema's owner can write its comment.
    IF to_regnamespace('pgmedic') IS NOT NULL
       AND COALESCE(obj_description(to_regnamespace('pgmedic'), 'pg_namespace'), '') NOT LIKE 'Made by pgmedic sql install %' THEN
        RAISE object_not_in_prerequisite_state USING
            MESSAGE = 'schema pgmedic was not made by pgmedic sql install: nothing is removed',
            HINT = 'Its comment would say so. If it is yours, remove it by hand.';
    END IF;
END
$uninstall$;
DROP FUNCTION IF EXISTS pgmedic.repair(text, text, text);
DROP FUNCTION IF EXISTS pgmedic.repair(regclass, name);
DROP FUNCTION IF EXISTS pgmedic.repair_alone(regclass, name);
DROP FUNCTION IF EXISTS pgmedic.wait_for_repair(oid);
DROP FUNCTION IF EXISTS pgmedic.leap(oid, text, numeric);
DROP FUNCTION IF EXISTS pgmedic.block_end(numeric, numeric, numeric, numeric, numeric, text, text, text);
DROP FUNCTION IF EXISTS pgmedic.log_repair(name, text, text, numeric, numeric, numeric);
DROP FUNCTION IF EXISTS pgmedic.feeds_of(oid, oid, name);
DROP FUNCTION IF EXISTS pgmedic.keys_of(oid[], name);
DROP FUNCTION IF EXISTS pgmedic.sequences_of(oid, name);
DROP VIEW IF EXISTS pgmedic.sequence_columns;
DROP VIEW IF EXISTS pgmedic.untrusted_relations;
DROP TABLE IF EXISTS pgmedic.repair_log;
DO $uninstall$
BEGIN
    DROP SCHEMA IF EXISTS pgmedic RESTRICT;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE WARNING 'schema pgmedic is kept: it holds something that pgmedic did not make';
END
$uninstall$;
COMMIT;
