-- The triggers and rules that the database's owners put on the tables of a sweep, as far as they act when a session is
-- ended: on DELETE, and where sessions are revoked, on UPDATE. The table of the sessions comes first.
WITH RECURSIVE
-- The tables whose rows are changed: deleted, or updated where a foreign key sets the columns in `keys`.
changed (rel, is_store, is_deleted, keys) AS (
    SELECT c.oid, true, NOT @REVOKES@, NULL::smallint[]
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
  UNION
    SELECT x.rel, x.is_store, x.is_deleted, x.keys
    FROM changed d
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS rel, d.is_store, d.is_deleted, d.keys FROM pg_catalog.pg_inherits i WHERE i.inhparent = d.rel
      UNION ALL
        SELECT k.conrelid, false, d.is_deleted AND k.confdeltype = 'c',
               CASE WHEN d.is_deleted AND k.confdeltype = 'c' THEN NULL ELSE k.conkey END
        FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.confrelid = d.rel
          AND CASE WHEN d.is_deleted THEN k.confdeltype IN ('c', 'n', 'd')
                   ELSE NOT d.is_store AND k.confupdtype IN ('c', 'n', 'd') AND k.confkey && d.keys END
    ) AS x
),
-- The search paths that sessions of other roles begin with in this database; of all where role is 0.
paths (role, value) AS (
    SELECT s.setrole, substr(c.setting, length('search_path=') + 1)
    FROM pg_catalog.pg_db_role_setting s
    CROSS JOIN unnest(s.setconfig) AS c (setting)
    WHERE c.setting LIKE 'search\_path=%' AND s.setrole <> quote_ident(session_user)::regrole
      AND s.setdatabase IN (0, (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()))
  UNION
    SELECT 0, CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s
                             CROSS JOIN unnest(s.setconfig) AS c (setting)
                             WHERE c.setting LIKE 'search\_path=%' AND s.setrole = quote_ident(session_user)::regrole)
                THEN g.boot_val ELSE g.reset_val END
    FROM pg_catalog.pg_settings g
    WHERE g.name = 'search_path'
)
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS relation,
       d.is_store,
       'trigger' AS kind,
       quote_ident(g.tgname) AS name,
       quote_ident(fn.nspname) || '.' || quote_ident(f.proname) || '()' AS function,
       -- A trigger before a row is deleted decides whether it is.
       d.is_store AND t.is_before AS may_keep_rows,
       -- The same where a foreign key's action changes the row: what is kept refers to nothing. As the source tells: in a
       -- function for DELETE alone, each RETURN returns OLD.
       NOT d.is_store AND t.is_before AND l.lanname NOT IN ('c', 'internal') AND CASE
           WHEN l.lanname <> 'plpgsql' THEN true
           WHEN f.prosrc ~* 'tg_op' THEN f.prosrc ~* '\mreturn\s+null' OR f.prosrc !~* ('\mreturn\s+' || t.row)
           ELSE f.prosrc ~* ('\mreturn\M(?!\s+' || t.row || '\M)')
       END OR NOT d.is_store AND t.is_before AND NOT d.is_deleted
           -- What a function for several events returns for a deletion is none of this.
           AND regexp_replace(f.prosrc, $$'delete'\s*then\s*return\s+old$$, '', 'gi')
               ~* '(new\.\w+\s*:?=\s*old\.|\mnew\s*:?=|\minto\s+new\M|\mreturn\s+old\M)' AS may_orphan_rows,
       g.tgenabled = 'D'
           OR g.tgenabled = 'O' AND current_setting('session_replication_role') = 'replica'
           OR g.tgenabled = 'R' AND current_setting('session_replication_role') <> 'replica' AS is_disabled,
       NOT EXISTS (SELECT FROM unnest(f.proconfig) AS s (setting)
                   WHERE s.setting LIKE 'search\_path=%') AS has_no_search_path,
       -- Where it changes nothing for a session with the search path that all begin with which may write: that leads to the
       -- table's schema, and no trigger of another schema runs the function.
       (SELECT format('ALTER FUNCTION %I.%I() SET search_path = %s', fn.nspname, f.proname, min(p.value))
        FROM paths p
        LEFT JOIN pg_catalog.pg_roles pr ON pr.oid = p.role
        WHERE pr.oid IS NULL OR NOT pr.rolsuper AND has_table_privilege(pr.oid, c.oid, 'DELETE, UPDATE')
        HAVING count(DISTINCT p.value) = 1
           AND n.nspname = ANY (ARRAY(SELECT btrim(e, ' "') FROM unnest(string_to_array(min(p.value), ',')) AS u (e)))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger og
                           JOIN pg_catalog.pg_class oc ON oc.oid = og.tgrelid
                           WHERE og.tgfoid = f.oid AND oc.relnamespace <> n.oid)) AS fix
FROM changed d
JOIN pg_catalog.pg_class c ON c.oid = d.rel
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_trigger g ON g.tgrelid = d.rel AND NOT g.tgisinternal
JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = f.prolang
JOIN pg_catalog.pg_namespace fn ON fn.oid = f.pronamespace
CROSS JOIN LATERAL (
    SELECT (g.tgtype & 1) <> 0 AND (g.tgtype & 2) <> 0 AS is_before, CASE WHEN d.is_deleted THEN 'old' ELSE 'new' END AS row
) AS t
WHERE g.tgtype & (CASE WHEN d.is_deleted THEN 8 ELSE 16 END) <> 0
  -- UPDATE OF other columns.
  AND (d.keys IS NULL OR cardinality(g.tgattr::smallint[]) = 0 OR g.tgattr::smallint[] && d.keys)
UNION
SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname), d.is_store, 'rule', quote_ident(w.rulename), NULL, w.is_instead,
       false, w.ev_enabled = 'D', false, NULL
FROM changed d
JOIN pg_catalog.pg_class c ON c.oid = d.rel
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_rewrite w ON w.ev_class = c.oid
WHERE w.ev_type = CASE WHEN d.is_deleted THEN '4' ELSE '2' END::"char"
  -- A partition's rule acts only where it is named in the statement; a foreign key's action names its own table.
  AND (d.is_store AND c.relname = @TABLE@ AND n.nspname = @SCHEMA@ OR NOT d.is_store AND (w.is_instead OR pg_catalog.pg_get_ruledef(w.oid) ~* '\mdelete\s+from\M'))
ORDER BY is_store DESC, relation, kind, name
