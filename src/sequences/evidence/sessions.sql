-- The other sessions of this database, each with its last statement. A failed statement did nothing.
SELECT pg_catalog.quote_ident(a.usename) AS role, a.application_name AS application,
       coalesce(pg_catalog.host(a.client_addr), '[local]') AS address,
       -- The age of a statement that is over.
       CASE WHEN a.state IS DISTINCT FROM 'active'
            THEN extract(epoch FROM pg_catalog.clock_timestamp() - a.state_change)::pg_catalog.float8 END AS age,
       a.query AS query,
       pg_catalog.octet_length(a.query)
       >= pg_catalog.pg_size_bytes(pg_catalog.current_setting('track_activity_query_size')) - 5 AS cut
FROM pg_catalog.pg_stat_activity a
WHERE a.backend_type = 'client backend' AND a.pid <> pg_catalog.pg_backend_pid()
      -- The text of another database's session may be in another encoding.
      AND CASE WHEN a.datname = pg_catalog.current_database() AND a.state NOT IN ('idle in transaction (aborted)', 'disabled')
               THEN a.query ~* '\m(insert|update|merge|copy|setval|truncate|alter)\M' ELSE false END
ORDER BY a.state_change DESC
LIMIT 1000
