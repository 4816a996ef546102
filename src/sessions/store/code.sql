-- The triggers and rules that the database's owners put on the tables of a sweep, as far as they act when a session is
-- ended: on DELETE, and where sessions are revoked, on UPDATE. The table of the sessions comes first.
WITH RECURSIVE
deleted (rel, is_store) AS (
    SELECT c.oid, true
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
  UNION
    SELECT x.rel, x.is_store
    FROM deleted d
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS rel, d.is_store FROM pg_catalog.pg_inherits i WHERE i.inhparent = d.rel
      UNION ALL
        SELECT k.conrelid, false
        FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.confrelid = d.rel AND k.confdeltype IN ('c', 'n', 'd') AND NOT @REVOKES@
    ) AS x
)
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation,
       d.is_store,
       'trigger' AS kind,
       quote_ident(g.tgname) AS name,
       quote_ident(fn.nspname) || '.' || quote_ident(f.proname) || '()' AS function,
       -- A trigger before a row is deleted decides whether it is.
       d.is_store AND (g.tgtype & 1) <> 0 AND (g.tgtype & 2) <> 0 AS may_keep_rows,
       g.tgenabled = 'D'
           OR g.tgenabled = 'O' AND current_setting('session_replication_role') = 'replica'
           OR g.tgenabled = 'R' AND current_setting('session_replication_role') <> 'replica' AS is_disabled,
       NOT EXISTS (SELECT FROM unnest(f.proconfig) AS s (setting)
                   WHERE s.setting LIKE 'search\_path=%') AS has_no_search_path,
       format('ALTER FUNCTION %I.%I() SET search_path = %I', fn.nspname, f.proname, n.nspname) AS fix
FROM deleted d
JOIN pg_catalog.pg_class c ON c.oid = d.rel
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_trigger g ON g.tgrelid = d.rel AND NOT g.tgisinternal
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
WHERE g.tgtype & (CASE WHEN @REVOKES@ THEN 16 ELSE 8 END) <> 0
   OR NOT d.is_store AND g.tgtype & 16 <> 0
UNION ALL
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), true, 'rule', quote_ident(w.rulename), NULL, false,
       w.ev_enabled = 'D', false, NULL
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid
WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@ AND w.ev_type = CASE WHEN @REVOKES@ THEN '2' ELSE '4' END::"char"
ORDER BY is_store DESC, relation, kind, name
