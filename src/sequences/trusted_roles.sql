-- The roles that are trusted with the rights of the connected role: superusers and that role itself.
SELECT oid::bigint FROM pg_roles WHERE rolsuper OR rolname = current_user
UNION ALL
-- The OID of pg_database_owner (PostgreSQL 14 and newer), where it stands for a trusted role.
SELECT 6171
FROM pg_database d
JOIN pg_roles o ON o.oid = d.datdba
WHERE d.datname = current_database() AND (o.rolsuper OR o.rolname = current_user)
