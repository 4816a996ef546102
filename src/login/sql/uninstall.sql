-- Removes what `pgmedic sql install` made, its events included, and nothing else.
-- Run it with: psql -X -v ON_ERROR_STOP=1
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;
DROP FUNCTION IF EXISTS pgmedic.repair(regclass, name);
DROP VIEW IF EXISTS pgmedic.feeds;
DROP TABLE IF EXISTS pgmedic.events;
DO $uninstall$
BEGIN
    DROP SCHEMA IF EXISTS pgmedic RESTRICT;
EXCEPTION WHEN dependent_objects_still_exist THEN
    RAISE WARNING 'schema pgmedic is kept: it holds something that pgmedic did not make';
END
$uninstall$;
COMMIT;
DROP VIEW IF EXISTS pgmedic.strangers;
