-- The owners of what runs, or may be computed, when sessions are ended: of the tables that this touches, and of functions.
WITH RECURSIVE
store AS (
    SELECT c.oid, c.relowner
    FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
),
-- The connected role. Code that it runs may also act as the role that logged in, by SET ROLE NONE.
me AS (
    SELECT r.oid, u.oid AS session_role, r.rolsuper OR u.rolsuper AS rolsuper
    FROM pg_roles r
    JOIN pg_roles u ON u.rolname = session_user
    WHERE r.rolname = current_user
),
-- What it owns in this database, and the database itself, but for the repair log. Where it owns the sessions, its application has always run their
-- table's code with all of these rights.
owned AS (
    SELECT d.refobjid AS owner, d.classid, d.objid
    FROM me m
    JOIN store s ON s.relowner NOT IN (m.oid, m.session_role)
    JOIN pg_shdepend d ON d.refclassid = 'pg_authid'::regclass AND d.refobjid IN (m.oid, m.session_role) AND d.deptype = 'o'
    JOIN pg_database b ON b.datname = current_database()
    WHERE (d.dbid = b.oid OR d.dbid = 0 AND d.classid = 'pg_database'::regclass AND d.objid = b.oid)
      AND d.classid <> 'pg_default_acl'::regclass
      AND (d.classid, d.objid) IS DISTINCT FROM ('pg_namespace'::regclass::oid, to_regnamespace('pgmedic')::oid)
      AND NOT EXISTS (SELECT FROM pg_depend p
                      WHERE p.classid = d.classid AND p.objid = d.objid
                        AND p.refclassid = 'pg_namespace'::regclass AND p.refobjid = to_regnamespace('pgmedic'))
),
-- The table, its partitions and children, and the tables that foreign keys change when a row is deleted; is_store: no
-- foreign key led here.
touched (rel, is_store) AS (
    SELECT s.oid, true FROM store s
  UNION
    SELECT x.rel, x.is_store
    FROM touched t
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS rel, t.is_store FROM pg_inherits i WHERE i.inhparent = t.rel
      UNION ALL
        -- By its trigger on the referenced table, which an index finds.
        SELECT k.conrelid, false
        FROM pg_trigger g
        JOIN pg_constraint k ON k.oid = g.tgconstraint
        WHERE g.tgrelid = t.rel AND k.contype = 'f' AND k.confrelid = t.rel
          AND ARRAY[k.confdeltype, k.confupdtype] && '{c,n,d}'
    ) AS x
),
-- What runs, or may be computed, when rows of these tables are found, changed or deleted.
parts AS (
    SELECT t.rel, 'pg_class'::regclass AS class, t.rel AS part FROM touched t
  UNION ALL
    SELECT t.rel, 'pg_class'::regclass, i.indexrelid FROM touched t JOIN pg_index i ON i.indrelid = t.rel
  UNION ALL
    SELECT t.rel, 'pg_trigger'::regclass, g.oid FROM touched t JOIN pg_trigger g ON g.tgrelid = t.rel
  UNION ALL
    SELECT t.rel, 'pg_rewrite'::regclass, w.oid FROM touched t JOIN pg_rewrite w ON w.ev_class = t.rel
  UNION ALL
    SELECT t.rel, 'pg_constraint'::regclass, k.oid FROM touched t JOIN pg_constraint k ON k.conrelid = t.rel
  UNION ALL
    SELECT t.rel, 'pg_statistic_ext'::regclass, s.oid FROM touched t JOIN pg_statistic_ext s ON s.stxrelid = t.rel
  UNION ALL
    SELECT t.rel, 'pg_attrdef'::regclass, d.oid
    FROM touched t
    JOIN pg_attribute a ON a.attrelid = t.rel AND a.attgenerated <> ''
    JOIN pg_attrdef d ON d.adrelid = t.rel AND d.adnum = a.attnum
),
named AS (
    SELECT p.rel, d.refclassid AS class, d.refobjid AS oid
    FROM parts p
    JOIN pg_depend d ON d.classid = p.class AND d.objid = p.part AND d.refobjid >= 16384
    WHERE d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)
),
used AS (
    SELECT n.rel, n.class, n.oid FROM named n
  UNION ALL
    -- An operator runs a function, which may have another owner.
    SELECT n.rel, 'pg_proc'::regclass, o.oprcode
    FROM named n
    JOIN pg_operator o ON n.class = 'pg_operator'::regclass AND o.oid = n.oid
),
owners AS (
    SELECT t.rel, t.is_store, 'belongs to' AS found, c.relowner AS owner
    FROM touched t
    JOIN pg_class c ON c.oid = t.rel
  UNION
    -- The owner of a schema may replace what is in it.
    SELECT t.rel, t.is_store, 'is in a schema of',
           CASE o.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE n.nspowner END
    FROM touched t
    JOIN pg_class c ON c.oid = t.rel
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_roles o ON o.oid = n.nspowner
    JOIN pg_database d ON d.datname = current_database()
    WHERE t.is_store
  UNION
    SELECT u.rel, t.is_store, 'runs functions of', COALESCE(f.proowner, o.oprowner)
    FROM used u
    JOIN touched t ON t.rel = u.rel
    LEFT JOIN pg_proc f ON u.class = 'pg_proc'::regclass AND f.oid = u.oid
    LEFT JOIN pg_operator o ON u.class = 'pg_operator'::regclass AND o.oid = u.oid
    WHERE COALESCE(f.proowner, o.oprowner) IS NOT NULL
)
