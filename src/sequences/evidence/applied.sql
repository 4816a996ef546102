-- The tables into which a running subscription of this database writes.
SELECT r.srrelid::pg_catalog.int8 AS rel, w.subname::pg_catalog.text AS subscription, pg_catalog.quote_ident(a.usename) AS role
FROM pg_catalog.pg_subscription_rel r
JOIN pg_catalog.pg_stat_subscription w ON w.subid = r.srsubid AND w.relid IS NULL AND w.pid IS NOT NULL
JOIN pg_catalog.pg_stat_activity a ON a.pid = w.pid
LIMIT 20000
