-- Whether the owner of table r could move sequence s anyway, and so gains nothing when a default of the table counts: a
-- superuser, the owner or a member of it, or a role with UPDATE. Version 16 tells members that may use the role's rights.
    (r.relowner = s.relowner
     OR pg_catalog.has_sequence_privilege(r.relowner, s.oid, 'UPDATE')
     OR pg_catalog.pg_has_role(r.relowner, s.relowner, CASE
            WHEN pg_catalog.current_setting('server_version_num')::integer >= 160000 THEN 'USAGE, SET' ELSE 'MEMBER' END))
