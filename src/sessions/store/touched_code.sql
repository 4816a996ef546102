-- The OIDs of the relations, schemas, functions and operators whose owners decide whose code runs, of the connected roles where
-- their other property counts, of the roles that they are members of, and the state of all of these.
@OWNERS@
SELECT ARRAY(SELECT DISTINCT t.rel::bigint FROM touched t) AS relations,
       ARRAY(SELECT DISTINCT c.relnamespace::bigint FROM touched t JOIN pg_class c ON c.oid = t.rel) AS schemas,
       ARRAY(SELECT DISTINCT u.oid::bigint FROM used u WHERE u.class = 'pg_proc'::regclass) AS functions,
       ARRAY(SELECT DISTINCT u.oid::bigint FROM used u WHERE u.class = 'pg_operator'::regclass) AS operators,
       ARRAY(SELECT unnest(@ROLES@)::bigint) AS roles,
       ARRAY(SELECT unnest(@MEMBER_OF@)::bigint) AS member_of,
       (@STATE@) AS state
