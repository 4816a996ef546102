-- The statements of this database that write or move something, by role. Constants are parameters in most of these texts.
-- @FUNCTION@: the function of pg_stat_statements, quoted; @NAMES@: names of tables, in lower case, one a line; none for any.
SELECT pg_catalog.quote_ident(r.rolname) AS role, pg_catalog."left"(s.query, 4000) AS query,
       pg_catalog.length(s.query) > 4000 AS cut, s.calls AS calls
FROM @FUNCTION@(true) AS s
JOIN pg_catalog.pg_roles r ON r.oid = s.userid
WHERE CASE WHEN s.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
           THEN s.query ~* '\m(setval|restart)\M'
                OR s.query ~* '\m(insert|update|merge|copy)\M'
                   AND (@NAMES@ = '' OR EXISTS (SELECT FROM pg_catalog.unnest(pg_catalog.string_to_array(@NAMES@, E'\n')) AS name
                                                WHERE pg_catalog.strpos(pg_catalog.lower(s.query), name) > 0))
           ELSE false END
LIMIT 5000
