-- What tells this database from every other one: two servers do not start in the same microsecond.
SELECT (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())::bigint AS oid,
       extract(epoch FROM pg_postmaster_start_time())::text AS started,
       pg_is_in_recovery() AS is_replica
