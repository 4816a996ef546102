-- What the server's statistics have counted: of the server, of each of @SEQUENCES@ and of @TABLES@, of each of @TREES@ with all
-- its partitions and children, and which sequences are in use. All counts of a kind are one text, oid:count: of many thousands
-- of rows each would take as much memory again.
-- @ROW_CHANGES@: the rows inserted into, updated in and deleted from table t. @SERVER@: the name of the server.
WITH RECURSIVE tree (root, t) AS (
    SELECT t, t FROM unnest('{@TREES@}'::oid[]) AS t
  UNION
    -- One whose detachment is pending counts too: that costs at most a needless read.
    SELECT tree.root, i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.t
),
counted (of, oid, count) AS (
    SELECT 'sequence', s, pg_stat_get_blocks_fetched(s) FROM unnest('{@SEQUENCES@}'::oid[]) AS s
  UNION ALL
    SELECT 'table', t, @ROW_CHANGES@ FROM unnest('{@TABLES@}'::oid[]) AS t
  UNION ALL
    SELECT 'table', root, sum(@ROW_CHANGES@)::bigint FROM tree AS t (root, t) GROUP BY root
  UNION ALL
    -- Sequences on which other sessions hold the lock of setval and nextval, which a transaction keeps until its end and every
    -- role may see.
    SELECT DISTINCT 'in use', l.relation, 0::bigint FROM pg_locks l
      JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
      JOIN pg_sequence q ON q.seqrelid = l.relation
     WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.pid <> pg_backend_pid()
)
-- Changes of the catalog tables that discovery reads.
SELECT 'server' AS of, NULL AS counts,
       (SELECT sum(@ROW_CHANGES@)::bigint
          FROM unnest('{pg_class,pg_sequence,pg_depend,pg_attrdef,pg_attribute,pg_index,pg_constraint,pg_inherits,pg_namespace,pg_type,pg_policy,pg_authid,pg_auth_members}'::regclass[]) AS t) AS catalog,
       -- The start of the counters: they are lost in a crash, and start anew at a promotion or a reset.
       concat_ws(' ', current_setting('track_counts'), pg_postmaster_start_time(), pg_is_in_recovery(),
                 -- A crash changes neither of the other times.
                 pg_stat_get_bgwriter_stat_reset_time(),
                 (SELECT concat_ws(' ', oid, pg_stat_get_db_stat_reset_time(oid))
                    FROM pg_database WHERE datname = current_database())) AS epoch,
       @SERVER@ AS server
UNION ALL
SELECT of, string_agg(concat(oid, ':', count), ' '), NULL, NULL, NULL FROM counted GROUP BY of
