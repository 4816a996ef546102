-- The logical slots of this database: how many bytes of the log each has not confirmed, up to @MARK@ and up to now.
SELECT s.slot_name::text AS slot, s.active AS active,
       pg_wal_lsn_diff(@MARK@, s.confirmed_flush_lsn)::bigint AS behind_mark,
       pg_wal_lsn_diff(
           CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_insert_lsn() END,
           s.confirmed_flush_lsn)::bigint AS behind
FROM pg_catalog.pg_replication_slots s
WHERE s.slot_type = 'logical' AND s.database = current_database() AND s.confirmed_flush_lsn IS NOT NULL
ORDER BY 1
