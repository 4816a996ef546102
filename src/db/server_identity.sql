-- Which server this is, by the microsecond in which its postmaster started, and how many connections it grants the role:
-- the least of the role's and the database's CONNECTION LIMIT, none where there is no limit. Operators are qualified, as no
-- search_path is set.
SELECT (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8::pg_catalog.text,
       (SELECT pg_catalog.min(allowed)
        FROM (SELECT rolconnlimit FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) session_user AND NOT rolsuper
              UNION ALL
              SELECT datconnlimit FROM pg_catalog.pg_database
              WHERE datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
                AND NOT (SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname OPERATOR(pg_catalog.=) session_user)) AS limits (allowed)
        WHERE allowed OPERATOR(pg_catalog.>=) 0)
