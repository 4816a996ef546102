-- Every sequence with every column it feeds: one row a link, one row alone for a sequence without any.
-- Takes no lock on any user's relation, so that a locked table cannot hold up discovery: that is why the default
-- comes as pg_node_tree text and not through pg_get_expr(), which opens the table.
-- $1..$5: the links that the configuration declares: sequence schema, name; table schema, name; column.
WITH RECURSIVE
-- The base type of each domain, through domains over domains; the modifier nearest to the column counts.
-- Found once (MATERIALIZED), not for each column anew.
domain_steps (type, base, modifier, depth) AS (
    SELECT t.oid, t.typbasetype, t.typtypmod, 1
    FROM pg_catalog.pg_type t
    WHERE t.typtype = 'd'
  UNION ALL
    SELECT d.type, t.typbasetype, CASE WHEN d.modifier >= 0 THEN d.modifier ELSE t.typtypmod END, d.depth + 1
    FROM domain_steps d
    JOIN pg_catalog.pg_type t ON t.oid = d.base AND t.typtype = 'd'
),
domains AS MATERIALIZED (
    SELECT DISTINCT ON (type) type, base, modifier FROM domain_steps ORDER BY type, depth DESC
),
-- Owned sequences: 'a' serial, 'i' identity.
owned AS (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att, d.deptype
    FROM pg_catalog.pg_sequence q
    JOIN pg_catalog.pg_depend d ON d.objid = q.seqrelid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
),
-- Domains whose default names a sequence: rare, so they are found before any column is looked at.
domain_defaults AS MATERIALIZED (
    SELECT d.refobjid AS seq, t.oid AS type, t.typdefaultbin::text AS expression
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'd'
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
),
-- Defaults that name a sequence, owned or not; inherited ones are the child's own. A default depends on its own column
-- too (refobjsubid > 0).
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
-- What the configuration declares; a column that does not exist leaves att null.
declared AS (
    SELECT DISTINCT s.oid AS seq, r.oid AS rel, a.attnum::integer AS att,
           pg_catalog.format('%I.%I.%I', c.rel_schema, c.rel_name, c.att_name) AS wanted
    FROM unnest($1, $2, $3, $4, $5) AS c (seq_schema, seq_name, rel_schema, rel_name, att_name)
    JOIN pg_catalog.pg_namespace sn ON sn.nspname = c.seq_schema
    JOIN pg_catalog.pg_class s ON s.relnamespace = sn.oid AND s.relname = c.seq_name AND s.relkind = 'S'
    LEFT JOIN pg_catalog.pg_namespace rn ON rn.nspname = c.rel_schema
    LEFT JOIN pg_catalog.pg_class r ON r.relnamespace = rn.oid AND r.relname = c.rel_name
    LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attname = c.att_name
                                       AND a.attnum > 0 AND NOT a.attisdropped
),
catalogued AS (
    SELECT seq, rel, att, o.deptype, d.expression
    FROM owned o FULL JOIN defaults d USING (seq, rel, att)
),
links AS (
    SELECT seq, rel, att, c.deptype, c.expression, d.wanted
    FROM catalogued c FULL JOIN declared d USING (seq, rel, att)
),
-- The members of each partitioned or inherited table that is fed, itself included.
tree (root, member) AS (
    SELECT l.rel, l.rel
    FROM links l
    JOIN pg_catalog.pg_class r ON r.oid = l.rel AND r.relhassubclass
  UNION
    SELECT t.root, i.inhrelid
    FROM tree t
    JOIN pg_catalog.pg_inherits i ON i.inhparent = t.member
    -- A partition that waits for its detachment to be finished is not seen through its parent (14 and newer).
    WHERE COALESCE(to_jsonb(i) ->> 'inhdetachpending', 'false') = 'false'
),
-- Tables for which even planning runs user-defined functions: in indexes, statistics, constraints and partition keys.
-- `untrusted` says whether a role that is no superuser owns one of them.
strange AS (
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
-- The same through a table's partitions and children.
strange_trees AS (
    SELECT t.root AS rel, bool_or(s.untrusted) AS untrusted
    FROM tree t
    JOIN strange s ON s.rel = t.member
    GROUP BY t.root
),
-- Indexes of each table; a leading column of a whole, valid B-tree lets MAX stop at its first row.
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
-- Each fed column again in every member of its tree, itself included; a child may have it in another place.
fed AS (
    SELECT l.seq, l.rel AS root, l.att AS root_att, t.member AS rel, ma.attnum::integer AS att
    FROM tree t
    JOIN links l ON l.rel = t.root
    JOIN pg_catalog.pg_attribute ra ON ra.attrelid = l.rel AND ra.attnum = l.att
    JOIN pg_catalog.pg_attribute ma ON ma.attrelid = t.member AND ma.attname = ra.attname
),
-- Links that a child repeats: they are looked at through its parent, where that one counts.
inherited AS (
    SELECT f.seq, f.rel, f.att,
           bool_or(l.deptype IS NOT NULL OR l.wanted IS NOT NULL OR r.relowner = s.relowner) AS counts
    FROM fed f
    JOIN links l ON l.seq = f.seq AND l.rel = f.root AND l.att = f.root_att
    JOIN pg_catalog.pg_class r ON r.oid = f.root
    JOIN pg_catalog.pg_class s ON s.oid = f.seq
    WHERE f.rel <> f.root
    GROUP BY f.seq, f.rel, f.att
),
-- Members that hold rows and have no index to use: a parent's index is not its children's.
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
    -- the sequence
    s.oid::bigint AS seq_oid,
    n.nspname::text AS seq_schema,
    s.relname::text AS seq_name,
    quote_ident(n.nspname) AS seq_schema_quoted,
    quote_ident(n.nspname) || '.' || quote_ident(s.relname) AS seq_quoted,
    q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, q.seqcycle,
    quote_ident(pg_catalog.pg_get_userbyid(s.relowner)) AS seq_owner,
    coalesce((SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.oid = s.relowner), true) AS seq_owner_is_superuser,
    pg_catalog.pg_has_role(s.relowner, 'USAGE') AS may_alter,
    pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE') AS may_advance,
    pg_catalog.has_sequence_privilege(s.oid, 'UPDATE') AS may_set,
    pg_catalog.has_table_privilege(s.oid, 'SELECT') AS may_read_seq,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_enter_seq_schema,
    concat_ws(' ', s.relowner, n.nspowner, r.relowner, rn.nspowner, t.owners) AS keepers,
    -- the link
    l.deptype::text AS dependency,
    l.expression,
    l.wanted,
    -- asked only of an owned sequence that its column's default, if any, does not name
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL AND a.atthasdef THEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_attrdef ad
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
        JOIN pg_catalog.pg_sequence o ON o.seqrelid = d.refobjid
        WHERE ad.adrelid = l.rel AND ad.adnum = l.att AND d.refclassid = 'pg_catalog.pg_class'::regclass)
    END AS other_default,
    -- the fed column
    r.oid::bigint AS rel_oid,
    quote_ident(rn.nspname) AS rel_schema_quoted,
    quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS rel_quoted,
    quote_ident(a.attname) AS att_quoted,
    r.relkind::text AS rel_kind,
    r.relowner = s.relowner AS same_owner,
    quote_ident(pg_catalog.pg_get_userbyid(r.relowner)) AS rel_owner,
    COALESCE(dm.base, a.atttypid)::bigint AS type_oid,
    CASE WHEN dm.modifier >= 0 THEN dm.modifier ELSE a.atttypmod END AS type_modifier,
    CASE WHEN COALESCE(dm.base, a.atttypid) NOT IN (20, 21, 23)
         THEN pg_catalog.format_type(a.atttypid, a.atttypmod) END AS type_name,
    -- PostgreSQL changes neither the type of a partition key nor of an inherited column.
    CASE WHEN r.relkind = 'p' THEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_partitioned_table pt WHERE pt.partrelid = r.oid AND a.attnum = ANY (pt.partattrs))
    ELSE a.attinhcount = 0 END AS may_widen,
    pg_catalog.has_schema_privilege(rn.oid, 'USAGE') AS may_enter_rel_schema,
    -- The whole table's privilege, which is the quicker to look up, implies each column's.
    pg_catalog.has_table_privilege(r.oid, 'SELECT')
        OR pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT') AS may_read_column,
    pg_catalog.has_table_privilege(r.oid, 'SELECT') AS may_hold,
    pg_catalog.row_security_active(r.oid) AS hides_rows,
    COALESCE(u.pages, r.relpages)::bigint AS pages,
    CASE WHEN t.root IS NOT NULL THEN u.largest
         WHEN COALESCE(a.attnum = ANY (x.leading), false) IS FALSE
         THEN quote_ident(rn.nspname) || '.' || quote_ident(r.relname) END AS unindexed,
    COALESCE(t.relations, 1 + COALESCE(x.number, 0))::bigint AS relations,
    -- Other rows without a row's change that is counted: rewritten in place, or in other partitions.
    COALESCE(t.files, r.relfilenode::bigint) AS files,
    t.root IS NOT NULL AS has_children,
    COALESCE(t.has_foreign, false) AS has_foreign,
    COALESCE(sg.rel, st.rel) IS NOT NULL AS runs_functions,
    COALESCE(sg.untrusted OR st.untrusted, sg.untrusted, st.untrusted, false)
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
    LEFT JOIN domains dm ON dm.type = a.atttypid
    LEFT JOIN indexes x ON x.indrelid = l.rel
    LEFT JOIN trees t ON t.root = l.rel
    LEFT JOIN strange sg ON sg.rel = l.rel
    LEFT JOIN strange_trees st ON st.rel = l.rel
    LEFT JOIN unindexed u ON u.seq = l.seq AND u.rel = l.rel AND u.att = l.att
) ON l.seq = q.seqrelid AND (r.relpersistence IS NULL OR r.relpersistence <> 't')
 AND (h.seq IS NULL
      OR NOT h.counts AND (l.deptype IS NOT NULL OR l.wanted IS NOT NULL OR r.relowner = s.relowner))
ORDER BY q.seqrelid, l.rel, l.att
