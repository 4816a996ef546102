-- Sequences on which other sessions hold the lock of setval and nextval, which a transaction keeps until its end and every
-- role may see.
SELECT DISTINCT l.relation::bigint, 0::bigint FROM pg_locks l
JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
JOIN pg_sequence q ON q.seqrelid = l.relation
WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.pid <> pg_backend_pid()
