-- Every database of the server that can be entered, and what the server's statistics count in it.
-- @COUNTERS@: the columns "transactions", "rows" and "active" (microseconds in which clients ran statements); NULL where unknown.
SELECT d.oid::pg_catalog.int8 AS oid,
       d.datname::pg_catalog.text AS name,
       -- What lets the role in, where the privilege is missing.
       CASE WHEN NOT pg_catalog.has_database_privilege(d.oid, 'CONNECT')
            THEN pg_catalog.format('GRANT CONNECT ON DATABASE %I TO %I', d.datname, session_user) END AS missing_grant,
       -- What an open transaction has written is in effect for sequences, and is counted at its end.
       d.oid OPERATOR(pg_catalog.=) ANY (ARRAY(
           SELECT l.database FROM pg_catalog.pg_locks l
           WHERE l.locktype OPERATOR(pg_catalog.=) 'relation' AND l.mode OPERATOR(pg_catalog.=) 'RowExclusiveLock'
                 AND l.granted)) AS is_written,
       @COUNTERS@
FROM pg_catalog.pg_database d
-- A database whose DROP was interrupted has the limit -2.
WHERE d.datallowconn AND NOT d.datistemplate AND d.datconnlimit OPERATOR(pg_catalog.<>) -2
ORDER BY d.datname
