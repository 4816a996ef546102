-- The server's name: the microsecond in which its postmaster started, and whether it is a replica. Operators are qualified, as
-- no search_path may be set.
pg_catalog.concat_ws(' ',
    (pg_catalog.date_part('epoch', pg_catalog.pg_postmaster_start_time()) OPERATOR(pg_catalog.*) 1000000)::pg_catalog.int8,
    pg_catalog.pg_is_in_recovery())
