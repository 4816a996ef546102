-- Who holds one of the lease's locks in this database, other than this session. A holder counts as an agent when it connected
-- as the role that asks, as a superuser, or as a member of that role: such a session could do the agent's work. Every role
-- may read these columns of other roles' sessions.
-- @NAMESPACE@, @KEYS@: the two keys of the advisory locks, the second as a list, in the order in which they are taken.
SELECT key.place::pg_catalog.int4,
       l.pid,
       coalesce(a.usename::pg_catalog.text, ''),
       coalesce(a.application_name, ''),
       coalesce(a.usename OPERATOR(pg_catalog.=) session_user OR r.rolsuper
                OR pg_catalog.pg_has_role(a.usesysid, session_user, 'MEMBER'), true)
FROM ROWS FROM (pg_catalog.unnest(ARRAY[@KEYS@]::pg_catalog.int4[])) WITH ORDINALITY AS key (value, place)
JOIN pg_catalog.pg_locks l ON l.locktype OPERATOR(pg_catalog.=) 'advisory' AND l.granted
     AND l.classid OPERATOR(pg_catalog.=) @NAMESPACE@::pg_catalog.oid
     -- An OID has no sign.
     AND (l.objid::pg_catalog.int8 OPERATOR(pg_catalog.=) (key.value::pg_catalog.int8 OPERATOR(pg_catalog.&) 4294967295))
     AND l.objsubid OPERATOR(pg_catalog.=) 2
     AND l.database OPERATOR(pg_catalog.=)
         (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database())
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid OPERATOR(pg_catalog.=) l.pid
LEFT JOIN pg_catalog.pg_roles r ON r.oid OPERATOR(pg_catalog.=) a.usesysid
WHERE l.pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid()
ORDER BY key.place, l.pid
