-- Cancels or terminates the statements that run with a tag in their leading comment; one row for each.
-- @HOW@: cancel or terminate; @TAG@: a constant. Operators are qualified, as no search_path is set.
SELECT pg_catalog.pg_@HOW@_backend(pid)
FROM pg_catalog.pg_stat_activity
WHERE pid OPERATOR(pg_catalog.<>) pg_catalog.pg_backend_pid() AND state OPERATOR(pg_catalog.=) 'active'
  AND pg_catalog.strpos(query, @TAG@) OPERATOR(pg_catalog.>) 0
