-- What identifies the start of the server's counters: they are lost in a crash, and start anew at a promotion or a reset.
-- Then the number of changes of the catalog tables that discovery reads, and what identifies the server, as which_server.sql does.
SELECT
    concat_ws(' ', current_setting('track_counts'), pg_postmaster_start_time(), pg_is_in_recovery(),
              -- A crash changes neither of the other times.
              pg_stat_get_bgwriter_stat_reset_time(),
              (SELECT concat_ws(' ', oid, pg_stat_get_db_stat_reset_time(oid))
               FROM pg_database WHERE datname = current_database())),
    (SELECT sum(@ROW_CHANGES@)::bigint
     FROM unnest('{pg_class,pg_sequence,pg_depend,pg_attrdef,pg_attribute,pg_index,pg_constraint,pg_inherits,pg_namespace,pg_type,pg_policy,pg_authid,pg_auth_members}'::regclass[]) AS t),
    concat_ws(' ', (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint, pg_is_in_recovery())
