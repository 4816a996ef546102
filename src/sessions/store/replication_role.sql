-- Whether foreign keys and ordinary triggers act in this session, and where the setting comes from; and whether the server
-- counts the rows that a transaction deletes.
SELECT current_setting('session_replication_role') AS replication_role,
       current_setting('track_counts') = 'on' AS counts_rows,
       (SELECT CASE WHEN s.setrole <> 0 AND s.setdatabase <> 0
                    THEN format('ALTER ROLE %I IN DATABASE %I RESET session_replication_role', session_user, current_database())
                    WHEN s.setrole <> 0 THEN format('ALTER ROLE %I RESET session_replication_role', session_user)
                    WHEN s.setdatabase <> 0 THEN format('ALTER DATABASE %I RESET session_replication_role', current_database())
                    ELSE 'ALTER ROLE ALL RESET session_replication_role' END
        FROM pg_catalog.pg_db_role_setting s
        CROSS JOIN unnest(s.setconfig) AS c (setting)
        WHERE c.setting LIKE 'session\_replication\_role=%'
          AND s.setrole IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = session_user))
          AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
        ORDER BY s.setrole <> 0 AND s.setdatabase <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC
        LIMIT 1) AS fix
