-- The roles whose code would run, with the rights of the connected role, when sessions are ended, and which are not
-- trusted with those rights: a row for each reason not to end them. A foreign key's action itself runs as the owner of
-- the table that it changes, but that table's AFTER triggers run as the role that deleted the session.
@OWNERS@
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation, w.found,
       quote_ident(o.rolname) AS untrusted_role, w.is_store, m.rolsuper AS is_superuser,
       quote_ident(b.rolname) AS borrowed_role,
       quote_ident(p.rolname) AS role_with_attribute, p.attribute,
       CASE WHEN p.attribute IS NULL AND x.objid IS NOT NULL THEN
           COALESCE(pg_describe_object(x.classid, x.objid, 0), 'an object that another session drops')
       END AS owned,
       -- Gives the table to the owner of the sessions, and lets its own go on reading and writing. None where its own could not alter it
       -- any more, where row security would bind that role from then on, or where a superuser's rights would be lent to the table's
       -- triggers.
       CASE WHEN pg_has_role(o.oid, so.oid, 'MEMBER') AND NOT c.relrowsecurity AND NOT so.rolsuper THEN
           concat_ws('; ',
               format('ALTER TABLE %I.%I OWNER TO %I', n.nspname, c.relname, so.rolname),
               format('GRANT ALL ON TABLE %I.%I TO %I', n.nspname, c.relname, o.rolname),
               (SELECT string_agg(format('GRANT ALL ON SEQUENCE %I.%I TO %I', qn.nspname, q.relname, o.rolname), '; ' ORDER BY q.oid)
                FROM pg_depend d
                JOIN pg_class q ON q.oid = d.objid AND q.relkind = 'S'
                JOIN pg_namespace qn ON qn.oid = q.relnamespace
                WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                  AND d.deptype IN ('a', 'i')),
               -- A foreign key's action runs as the owner of the table that it changes.
               CASE WHEN NOT has_schema_privilege(so.oid, n.oid, 'USAGE')
                    THEN format('GRANT USAGE ON SCHEMA %I TO %I', n.nspname, so.rolname) END)
       END AS fix
FROM owners w
JOIN pg_class c ON c.oid = w.rel
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_roles o ON o.oid = w.owner
CROSS JOIN me m
JOIN store s ON true
JOIN pg_roles so ON so.oid = s.relowner
-- A role that the connected one is a member of, and the owner of the code is not: the code could act with its rights.
LEFT JOIN LATERAL (
    SELECT r.rolname
    FROM pg_roles r
    WHERE NOT m.rolsuper AND r.oid NOT IN (m.oid, o.oid)
      AND (pg_has_role(m.oid, r.oid, 'MEMBER') OR pg_has_role(m.session_role, r.oid, 'MEMBER'))
      AND NOT pg_has_role(o.oid, r.oid, 'MEMBER')
      AND (r.rolsuper OR r.rolcreaterole OR r.rolreplication
           -- Others, as pg_monitor, only look, or pg_checkpoint, cost time.
           OR r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
                            'pg_execute_server_program', 'pg_signal_backend', 'pg_signal_autovacuum_worker', 'pg_maintain',
                            'pg_create_subscription')
           OR EXISTS (SELECT FROM pg_shdepend d
                      WHERE d.refclassid = 'pg_authid'::regclass AND d.refobjid = r.oid AND d.deptype = 'o'))
    ORDER BY r.rolname
    LIMIT 1
) AS b ON true
-- What the role may do by itself: make roles, and read every change by replication.
LEFT JOIN LATERAL (
    SELECT r.rolname, a.attribute
    FROM pg_roles r
    CROSS JOIN LATERAL (VALUES ('CREATEROLE', r.rolcreaterole, o.rolcreaterole),
                               ('REPLICATION', r.rolreplication, o.rolreplication)) AS a (attribute, has_it, owner_has_it)
    WHERE r.oid IN (m.oid, m.session_role) AND a.has_it AND NOT a.owner_has_it AND NOT pg_has_role(o.oid, r.oid, 'MEMBER')
    ORDER BY r.rolname, a.attribute
    LIMIT 1
) AS p ON true
-- And change what it owns.
LEFT JOIN LATERAL (
    SELECT d.classid, d.objid
    FROM owned d
    WHERE NOT pg_has_role(o.oid, d.owner, 'MEMBER')
    ORDER BY d.classid, d.objid
    LIMIT 1
) AS x ON true
WHERE NOT o.rolsuper AND o.oid <> m.oid
  -- A role that is no superuser was given the store by its owner, and its few rights are all that the table's code gets.
  AND (m.rolsuper OR b.rolname IS NOT NULL OR p.attribute IS NOT NULL OR x.objid IS NOT NULL
       OR NOT w.is_store AND w.found = 'belongs to' AND o.oid <> s.relowner)
ORDER BY NOT w.is_store, w.found, relation, untrusted_role
