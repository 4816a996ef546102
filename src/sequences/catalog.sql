-- Every sequence with every column it feeds: one row for each link, and one row for a sequence that feeds no column.
-- It locks no user's relation, so that a locked table does not delay discovery. Therefore the default is read as
-- pg_node_tree text and not through pg_get_expr(), which opens the table.
-- $1..$5: the links that the configuration declares, and likely ones: sequence schema, name; table schema, name; column.
WITH RECURSIVE
@DOMAINS@
-- Owned sequences: 'a' serial, 'i' identity.
owned AS (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att, d.deptype
    FROM pg_catalog.pg_sequence q
    JOIN pg_catalog.pg_depend d ON d.objid = q.seqrelid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
),
-- Domains whose default names a sequence. They are rare, so they are found before the columns that have them.
domain_defaults AS MATERIALIZED (
    SELECT d.refobjid AS seq, t.oid AS type, t.typdefaultbin::text AS expression
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'd'
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
),
-- Defaults that name a sequence, owned or not. Each child has a default too where it inherits one. A default also depends
-- on the column that it is of (refobjsubid > 0), which is no link.
defaults AS (
    SELECT d.refobjid AS seq, ad.adrelid AS rel, ad.adnum::integer AS att, ad.adbin::text AS expression
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjsubid = 0
  UNION ALL
    -- A domain's default, in each column of the domain that has no default.
    SELECT t.seq, a.attrelid, a.attnum::integer, t.expression
    FROM domain_defaults t
    JOIN pg_catalog.pg_attribute a ON a.atttypid = t.type AND NOT a.atthasdef AND NOT a.attisdropped AND a.attnum > 0
    JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f')
    WHERE a.attidentity = ''
),
-- The links that the configuration declares, and likely ones, by their place in the arrays; att is null where the column
-- does not exist.
declared AS (
    SELECT s.oid AS seq, r.oid AS rel, a.attnum::integer AS att, min(c.entry) AS entry,
           min(pg_catalog.format('%I.%I.%I', c.rel_schema, c.rel_name, c.att_name)) AS wanted
    FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS c (seq_schema, seq_name, rel_schema, rel_name, att_name, entry)
    JOIN pg_catalog.pg_namespace sn ON sn.nspname = c.seq_schema
    JOIN pg_catalog.pg_class s ON s.relnamespace = sn.oid AND s.relname = c.seq_name AND s.relkind = 'S'
    LEFT JOIN pg_catalog.pg_namespace rn ON rn.nspname = c.rel_schema
    LEFT JOIN pg_catalog.pg_class r ON r.relnamespace = rn.oid AND r.relname = c.rel_name
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attname = c.att_name
                                       AND a.attnum > 0 AND NOT a.attisdropped
    GROUP BY s.oid, r.oid, a.attnum, CASE WHEN a.attnum IS NULL THEN c.entry END
),
catalogued AS (
    SELECT seq, rel, att, o.deptype, d.expression
    FROM owned o FULL JOIN defaults d USING (seq, rel, att)
),
links AS (
    SELECT seq, rel, att, c.deptype, c.expression, d.wanted, d.entry
    FROM catalogued c FULL JOIN declared d USING (seq, rel, att)
),
-- Columns that `pgmedic sql follow` lets the sequence follow, by sequence, table and trigger, with the trigger's argument: it
-- depends on the sequence that it names. A map is looked up as quickly where the planner expects another number of rows.
followed (map) AS MATERIALIZED (
    SELECT jsonb_object_agg(
               concat_ws(' ', d.refobjid, t.tgrelid, t.tgname),
               jsonb_build_object('always', t.tgenabled = 'A',
                                  'argument', split_part(encode(t.tgargs, 'escape'), chr(92) || '000', 1)))
    FROM pg_catalog.pg_trigger t
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = t.oid
                               AND d.refclassid = 'pg_catalog.pg_class'::regclass
    WHERE t.tgname LIKE 'zz\_pgmedic\_follow\_%' AND t.tgenabled <> 'D'
),
-- Each fed table that has partitions or children, with all of them and itself as members.
tree (root, member) AS (
    SELECT l.rel, l.rel
    FROM links l
    JOIN pg_catalog.pg_class r ON r.oid = l.rel AND r.relhassubclass
  UNION
@PARTITION_STEP@
),
-- Tables whose planning can run functions of users: in indexes, statistics, constraints and partition keys; and whether
-- one of those functions belongs to a role that is no superuser.
with_functions AS (
    SELECT c.rel, bool_or(NOT f.trusted) AS untrusted
    FROM (
        SELECT x.indrelid AS rel, d.refclassid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_index x ON x.indexrelid = d.objid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass
      UNION ALL
        SELECT d.objid, d.refclassid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = d.objid
        WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objsubid = 0
      UNION ALL
        SELECT e.stxrelid, d.refclassid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_statistic_ext e ON e.oid = d.objid
        WHERE d.classid = 'pg_catalog.pg_statistic_ext'::regclass
      UNION ALL
        SELECT k.conrelid, d.refclassid, d.refobjid
        FROM pg_catalog.pg_depend d
        JOIN pg_catalog.pg_constraint k ON k.oid = d.objid AND k.contype = 'c'
        WHERE d.classid = 'pg_catalog.pg_constraint'::regclass
    ) AS c
    JOIN (
        SELECT 'pg_catalog.pg_proc'::regclass AS class, p.oid, u.rolsuper AS trusted
        FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_roles u ON u.oid = p.proowner
        WHERE p.oid >= 16384
      UNION ALL
        SELECT 'pg_catalog.pg_operator'::regclass, o.oid, u.rolsuper
        FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_roles u ON u.oid = o.oprowner
        WHERE o.oid >= 16384
    ) AS f ON f.class = c.refclassid AND f.oid = c.refobjid
    WHERE c.refobjid >= 16384
    GROUP BY c.rel
),
-- The same for a table's partitions and children.
trees_with_functions AS (
    SELECT t.root AS rel, bool_or(f.untrusted) AS untrusted
    FROM tree t
    JOIN with_functions f ON f.rel = t.member
    GROUP BY t.root
),
-- Indexes of each table. MAX reads one row where the column leads a valid B-tree without a WHERE clause.
indexes AS (
    SELECT x.indrelid, count(*) AS number,
           array_agg(x.indkey[0]) FILTER (WHERE x.indisvalid AND x.indpred IS NULL AND o.opcmethod = 403) AS leading
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_opclass o ON o.oid = x.indclass[0]
    GROUP BY x.indrelid
),
trees AS (
    SELECT t.root, sum(1 + COALESCE(x.number, 0)) AS relations, bool_or(m.relkind = 'f') AS has_foreign,
           string_agg(DISTINCT concat_ws(' ', m.relowner, mn.nspowner), ' ') AS owners,
           sum(hashtext(concat_ws(' ', m.oid, m.relfilenode))::bigint)::bigint AS files
    FROM tree t
    JOIN pg_catalog.pg_class m ON m.oid = t.member
    JOIN pg_catalog.pg_namespace mn ON mn.oid = m.relnamespace
    LEFT JOIN indexes x ON x.indrelid = t.member
    GROUP BY t.root
),
-- Each fed column in every member of its tree, found by name: its number may differ in a child.
fed AS (
    SELECT l.seq, l.rel AS root, l.att AS root_att, t.member AS rel, ma.attnum::integer AS att
    FROM tree t
    JOIN links l ON l.rel = t.root
    JOIN pg_catalog.pg_attribute ra ON ra.attrelid = l.rel AND ra.attnum = l.att
    JOIN pg_catalog.pg_attribute ma ON ma.attrelid = t.member AND ma.attname = ra.attname
),
-- Links that a child has in common with its parent. The child is read through the parent, where the parent's link counts.
inherited AS (
    SELECT f.seq, f.rel, f.att,
           bool_or(l.deptype IS NOT NULL OR l.wanted IS NOT NULL OR
@TRUSTED_OWNER@) AS counts
    FROM fed f
    JOIN links l ON l.seq = f.seq AND l.rel = f.root AND l.att = f.root_att
    JOIN pg_catalog.pg_class r ON r.oid = f.root
    JOIN pg_catalog.pg_class s ON s.oid = f.seq
    WHERE f.rel <> f.root
    GROUP BY f.seq, f.rel, f.att
),
@OBSTACLES@,
-- The same of the fed column in any member of its tree: a change of the type reaches all of them.
obstacles_in_trees AS (
    SELECT f.seq, f.root, f.root_att, min((SELECT o.map FROM obstacles o) ->> (f.rel || ':' || f.att)) AS what
    FROM fed f
    GROUP BY f.seq, f.root, f.root_att
),
-- Members whose values another sequence hands out, each with that sequence.
members_of_others AS (
    SELECT f.seq, f.root AS rel, f.root_att AS att,
           string_agg(concat_ws(':', f.rel, o.seq), ' ' ORDER BY f.rel, o.seq) AS list
    FROM fed f
    JOIN catalogued o ON o.rel = f.rel AND o.att = f.att AND o.seq <> f.seq
                     AND (o.expression IS NOT NULL OR o.deptype = 'i')
    LEFT JOIN catalogued own ON own.seq = f.seq AND own.rel = f.rel AND own.att = f.att
    WHERE f.rel <> f.root AND own.seq IS NULL
    GROUP BY f.seq, f.root, f.root_att
),
-- Members that store rows and have no index for MAX: a parent's index does not cover its children.
unindexed AS (
    SELECT f.seq, f.root AS rel, f.root_att AS att, sum(GREATEST(m.relpages, 0)) AS pages,
           (array_agg(quote_ident(n.nspname) || '.' || quote_ident(m.relname) ORDER BY m.relpages DESC))[1] AS largest
    FROM fed f
    JOIN pg_catalog.pg_class m ON m.oid = f.rel AND m.relkind = 'r' AND m.relpersistence <> 't'
    JOIN pg_catalog.pg_namespace n ON n.oid = m.relnamespace
    LEFT JOIN indexes x ON x.indrelid = f.rel
    WHERE COALESCE(f.att = ANY (x.leading), false) IS FALSE
    GROUP BY f.seq, f.root, f.root_att
)
SELECT
@FEED_COLUMNS@,
    -- owners of what a read of the sequence and the column is exposed to
    concat_ws(' ', s.relowner, n.nspowner, r.relowner, rn.nspowner, t.owners) AS owners,
    l.wanted,
    l.entry,
    fo.trigger ->> 'argument' AS follow_argument,
    COALESCE((fo.trigger ->> 'always')::boolean, false) AS follow_always,
    mo.list AS members_of_others,
    COALESCE((SELECT o.map FROM obstacles o) ->> (l.rel || ':' || l.att), ot.what) AS widen_obstacle,
    pg_catalog.has_table_privilege(r.oid, 'SELECT') AS may_lock,
    COALESCE(u.pages, r.relpages)::bigint AS pages,
    CASE WHEN t.root IS NOT NULL THEN u.largest
         WHEN COALESCE(a.attnum = ANY (x.leading), false) IS FALSE
         THEN quote_ident(rn.nspname) || '.' || quote_ident(r.relname) END AS unindexed,
    COALESCE(t.relations, 1 + COALESCE(x.number, 0))::bigint AS relations,
    -- Changes with rows that no counter of row changes counts: the table was rewritten, or has other partitions.
    COALESCE(t.files, r.relfilenode::bigint) AS files,
    COALESCE(wf.rel, tf.rel) IS NOT NULL AS runs_functions,
    COALESCE(wf.untrusted OR tf.untrusted, wf.untrusted, tf.untrusted, false)
        AND (SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.rolname = current_user) AS endangers_superuser
FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid AND s.relpersistence <> 't'
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
LEFT JOIN (
    links l
    LEFT JOIN inherited h ON h.seq = l.seq AND h.rel = l.rel AND h.att = l.att
    LEFT JOIN pg_catalog.pg_class r ON r.oid = l.rel
    LEFT JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = l.rel AND a.attnum = l.att
    LEFT JOIN domains b ON b.type = a.atttypid
    LEFT JOIN indexes x ON x.indrelid = l.rel
    LEFT JOIN trees t ON t.root = l.rel
    LEFT JOIN with_functions wf ON wf.rel = l.rel
    LEFT JOIN trees_with_functions tf ON tf.rel = l.rel
    LEFT JOIN obstacles_in_trees ot ON ot.seq = l.seq AND ot.root = l.rel AND ot.root_att = l.att
    LEFT JOIN unindexed u ON u.seq = l.seq AND u.rel = l.rel AND u.att = l.att
    LEFT JOIN members_of_others mo ON mo.seq = l.seq AND mo.rel = l.rel AND mo.att = l.att
    LEFT JOIN LATERAL (
        SELECT (SELECT f.map FROM followed f) -> concat_ws(' ', l.seq, l.rel, 'zz_pgmedic_follow_' || l.att)
    ) AS fo (trigger) ON true
) ON l.seq = q.seqrelid AND (r.relpersistence IS NULL OR r.relpersistence <> 't')
 AND (h.seq IS NULL
      OR NOT h.counts AND (l.deptype IS NOT NULL OR l.wanted IS NOT NULL OR
@TRUSTED_OWNER@))
ORDER BY q.seqrelid, l.rel, l.att
