-- Divides by zero when a name no longer stands for the relation that was discovered, or when planning a read of one of
-- them would run a function or operator whose owner is neither a superuser nor the connected role. It runs in the
-- transaction that reads the relations, after they are locked.
-- @NAMES@ and @RELATIONS@: names and OIDs of the same relations, in the same order.
WITH RECURSIVE
named (name, rel) AS (
    SELECT * FROM unnest(ARRAY[@NAMES@]::text[], '{@RELATIONS@}'::oid[])
),
touched (rel) AS (
    SELECT n.rel FROM named n
  UNION
    SELECT i.inhrelid FROM touched t JOIN pg_inherits i ON i.inhparent = t.rel
),
-- The objects whose expressions the planner may evaluate: indexes, statistics, constraints and partition keys.
parts (class, part) AS (
    SELECT 'pg_class'::regclass, t.rel FROM touched t
  UNION ALL
    SELECT 'pg_class'::regclass, x.indexrelid FROM touched t JOIN pg_index x ON x.indrelid = t.rel
  UNION ALL
    SELECT 'pg_statistic_ext'::regclass, e.oid FROM touched t JOIN pg_statistic_ext e ON e.stxrelid = t.rel
  UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid FROM touched t JOIN pg_constraint k ON k.conrelid = t.rel AND k.contype = 'c'
)
SELECT 1 / (
    NOT EXISTS (
        SELECT FROM named n
        LEFT JOIN pg_class c ON c.oid = n.rel
        WHERE to_regclass(n.name) IS DISTINCT FROM n.rel OR c.relkind IS NULL OR c.relkind NOT IN ('r', 'p', 'S'))
    AND NOT EXISTS (
        SELECT FROM parts p
        -- objsubid = 0: before version 14, a generated column depends on its functions, which planning does not run.
        JOIN pg_depend d ON d.classid = p.class AND d.objid = p.part AND d.objsubid = 0 AND d.refobjid >= 16384
        LEFT JOIN pg_proc f ON d.refclassid = 'pg_proc'::regclass AND f.oid = d.refobjid
        LEFT JOIN pg_operator o ON d.refclassid = 'pg_operator'::regclass AND o.oid = d.refobjid
        JOIN pg_roles u ON u.oid = COALESCE(f.proowner, o.oprowner)
        WHERE NOT u.rolsuper AND u.rolname <> current_user)
)::integer
