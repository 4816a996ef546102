-- pgmedic @VERSION@: lets an application in any language repair a sequence at the moment an insert meets a taken id.
-- Run it with: psql -X -v ON_ERROR_STOP=1. Running this or a newer script again keeps grants and the log's entries.
-- `pgmedic sql uninstall` removes it. All of it is in schema pgmedic and belongs to one role. It serves only tables that
-- belong to that role or a superuser, in schemas that do so too: reading a table may run functions of its owner, and the
-- owner of a schema can replace the tables in it.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- Refuses a schema pgmedic, or something in it, that belongs to another role.
DO $install$
DECLARE
    installer CONSTANT name := COALESCE(@OWNER@, current_user);
    stranger name;
    builder record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = installer) THEN
        RAISE undefined_object USING MESSAGE = format('there is no role %I', installer);
    END IF;
    IF to_regnamespace('pgmedic') IS NULL THEN
        EXECUTE format('CREATE SCHEMA pgmedic AUTHORIZATION %I', installer);
    END IF;
    -- Other roles may not create functions in the schema: a call with untyped arguments could prefer one of theirs.
    FOR builder IN
        SELECT DISTINCT a.grantee, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END AS name
        FROM pg_namespace n
        JOIN pg_roles o ON o.oid = n.nspowner AND o.rolname = installer
        CROSS JOIN aclexplode(n.nspacl) AS a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE n.nspname = 'pgmedic' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    LOOP
        EXECUTE format('REVOKE CREATE ON SCHEMA pgmedic FROM %s CASCADE', builder.name);
    END LOOP;
    SELECT r.rolname INTO stranger
    FROM (
        SELECT n.nspowner AS owner FROM pg_namespace n WHERE n.nspname = 'pgmedic'
      UNION ALL
        SELECT c.relowner FROM pg_class c WHERE c.relnamespace = 'pgmedic'::regnamespace
      UNION ALL
        SELECT p.proowner FROM pg_proc p WHERE p.pronamespace = 'pgmedic'::regnamespace
    ) AS found
    JOIN pg_roles r ON r.oid = found.owner
    WHERE r.rolname <> installer
    LIMIT 1;
    IF FOUND THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('schema pgmedic, or something in it, belongs to %I and not to %I', stranger, installer),
            HINT = format('Install as its owner, with --owner %I, or uninstall it first.', stranger);
    END IF;
END
$install$;
@SET_ROLE@
COMMENT ON SCHEMA pgmedic IS 'Made by pgmedic sql install @VERSION@; pgmedic sql uninstall removes it';

