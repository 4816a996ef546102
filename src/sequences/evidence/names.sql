-- Of each sequence: whether it is the only one of its name.
SELECT c.oid::pg_catalog.int8,
       (SELECT pg_catalog.count(*) = 1 FROM pg_catalog.pg_class o WHERE o.relname = c.relname AND o.relkind = 'S')
FROM pg_catalog.pg_class c
WHERE c.oid = ANY ('{@SEQUENCES@}'::pg_catalog.oid[])
