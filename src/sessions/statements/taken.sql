-- The other tables that have lost rows with the batch, by a trigger: neither that of the sessions, nor one whose rows foreign keys
-- delete with them. And all that were emptied at once, which counts as no deletion: TRUNCATE locks a table, changes its row of
-- the catalog, and gives it another file, whose number is no longer its OID. And all that were dropped: they are locked and no longer in
-- the catalog, where they were before the batch.
SELECT string_agg(CASE WHEN c.oid IS NULL THEN format('a relation that it drops (OID %s)', t.oid)
                       ELSE format('%I.%I', n.nspname, c.relname) END, ', '
                  ORDER BY n.nspname, c.relname, t.oid) AS taken,
       set_config('pgmedic.taken', count(*)::text, true) AS noted
FROM (
    SELECT c.oid
    FROM jsonb_each_text((@DELETED@)) AS d (rel, rows)
    JOIN pg_catalog.pg_class c ON c.oid = d.rel::oid
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE d.rows::bigint > coalesce((current_setting('pgmedic.deleted_before')::jsonb ->> d.rel)::bigint, 0)
      AND c.oid <> ALL (@OIDS@)
      AND format('%I.%I', n.nspname, c.relname) <> ALL (@TAKES_ALONG@)
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_partition_ancestors(c.oid) AS a
                      JOIN pg_catalog.pg_class ac ON ac.oid = a.relid
                      JOIN pg_catalog.pg_namespace an ON an.oid = ac.relnamespace
                      WHERE format('%I.%I', an.nspname, ac.relname) = ANY (@TAKES_ALONG@))
  UNION
    SELECT c.oid
    FROM pg_catalog.pg_locks l
    JOIN pg_catalog.pg_class c ON c.oid = l.relation AND c.relkind = 'r' AND c.relpersistence <> 't'
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
      -- By this transaction, or a part of it.
      AND age(c.xmin) <= 0 AND c.relfilenode <> c.oid
  UNION
    SELECT l.relation
    FROM pg_catalog.pg_locks l
    WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock'
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
      AND l.relation <= current_setting('pgmedic.last_oid_before')::oid
      AND l.relation <> ALL (current_setting('pgmedic.temporary_before')::oid[])
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.oid = l.relation)
) AS t
LEFT JOIN pg_catalog.pg_class c ON c.oid = t.oid
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
