-- The relations, schemas, functions and operators whose owners decide whose code runs; the roles of which it counts what else they
-- own; all by OID; and the state of all of them.
@OWNERS@
SELECT ARRAY(SELECT DISTINCT t.rel::bigint FROM touched t) AS relations,
       ARRAY(SELECT DISTINCT c.relnamespace::bigint FROM touched t JOIN pg_class c ON c.oid = t.rel) AS schemas,
       ARRAY(SELECT DISTINCT u.oid::bigint FROM used u WHERE u.class = 'pg_proc'::regclass) AS functions,
       ARRAY(SELECT DISTINCT u.oid::bigint FROM used u WHERE u.class = 'pg_operator'::regclass) AS operators,
       ARRAY(SELECT unnest(@ROLES@)::bigint) AS roles,
       (@STATE@) AS state
