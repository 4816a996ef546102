-- Names and owners of relations, and whether row security is switched on, sorted by name.
-- @OIDS@: their OIDs, separated by commas.
SELECT c.oid::bigint, quote_ident(n.nspname), quote_ident(n.nspname) || '.' || quote_ident(c.relname),
       quote_ident(r.rolname), r.rolsuper, c.relrowsecurity
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles r ON r.oid = c.relowner
WHERE c.oid = ANY ('{@OIDS@}'::oid[])
ORDER BY n.nspname, c.relname
