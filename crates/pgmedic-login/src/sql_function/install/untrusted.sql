-- Relations that belong to a role that is not trusted, or are in such a role's schema: it could replace the relation, or
-- choose the functions that run when it is read.
CREATE OR REPLACE VIEW pgmedic.untrusted_relations AS
SELECT c.oid AS rel, o.rolname AS stranger,
       pg_catalog.format('%I.%I, %s belongs to %I', n.nspname, c.relname, w.what, o.rolname) AS found
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles s ON s.oid = n.nspowner
CROSS JOIN LATERAL (
    SELECT c.relowner AS owner, 'which' AS what
  UNION ALL
    SELECT CASE s.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE n.nspowner END, 'whose schema'
    FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database()
) AS w
JOIN pg_catalog.pg_roles o ON o.oid = w.owner
WHERE o.rolname <> current_user AND NOT o.rolsuper;
REVOKE ALL ON TABLE pgmedic.untrusted_relations FROM PUBLIC;

