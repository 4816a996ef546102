/* pgmedic:inline-repair */
-- The sequences that feed the one column of a unique index, each with every column it feeds. The result is the same as
-- that of the agent's catalog query, but it is found by index look-ups alone, in a few milliseconds in a database of any
-- size. It has no row where the index covers several columns or an expression, or no sequence feeds its column.
-- $1 schema, $2 table, $3 constraint or index, as the error names them (a partition's, where there are partitions).
WITH RECURSIVE
-- The table and all tables that it is a partition or child of, with the column's name.
family (rel, att) AS (
    SELECT x.indrelid, a.attname
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_class i ON i.relnamespace = n.oid AND i.relname = $3 AND i.relkind = 'i'
    JOIN pg_catalog.pg_index x ON x.indexrelid = i.oid AND x.indisunique AND x.indnkeyatts = 1
    JOIN pg_catalog.pg_class r ON r.oid = x.indrelid AND r.relname = $2
    JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND a.attnum = x.indkey[0]
    WHERE n.nspname = $1
  UNION
    SELECT i.inhparent, f.att
    FROM family f
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = f.rel
),
columns AS (
    SELECT a.attrelid, a.attnum, a.atttypid
    FROM family f
    JOIN pg_catalog.pg_attribute a ON a.attrelid = f.rel AND a.attname = f.att
),
seqs AS MATERIALIZED (
    SELECT q.seqrelid AS seq
    FROM columns c
    JOIN pg_catalog.pg_depend d ON d.refobjid = c.attrelid AND d.refobjsubid = c.attnum AND d.deptype IN ('a', 'i')
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
  UNION
    SELECT q.seqrelid
    FROM columns c
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = c.attrelid AND ad.adnum = c.attnum
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
  UNION
    -- The column's type is a domain whose default names a sequence.
    SELECT q.seqrelid
    FROM columns c
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_type'::regclass AND d.objid = c.atttypid
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
),
-- All columns that these sequences feed: the max id is the furthest of all of them.
owned AS (
    SELECT s.seq, d.refobjid AS rel, d.refobjsubid AS att, d.deptype
    FROM seqs s
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = s.seq
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
),
defaults AS (
    SELECT s.seq, ad.adrelid AS rel, ad.adnum::integer AS att, ad.adbin::text AS expression
    FROM seqs s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.seq
    JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refobjsubid = 0
  UNION ALL
    SELECT s.seq, a.attrelid, a.attnum::integer, t.typdefaultbin::text
    FROM seqs s
    JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = s.seq
    JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'd'
    -- The columns of a type are found among the objects that depend on the type.
    JOIN pg_catalog.pg_depend u ON u.refclassid = 'pg_catalog.pg_type'::regclass AND u.refobjid = t.oid
                               AND u.classid = 'pg_catalog.pg_class'::regclass
    JOIN pg_catalog.pg_attribute a ON a.attrelid = u.objid AND a.attnum = u.objsubid AND a.atttypid = t.oid
                                  AND NOT a.atthasdef AND NOT a.attisdropped AND a.attidentity = ''
    JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f')
    WHERE d.classid = 'pg_catalog.pg_type'::regclass
),
links AS MATERIALIZED (
    SELECT seq, rel, att, o.deptype, d.expression
    FROM owned o FULL JOIN defaults d USING (seq, rel, att)
),
-- Each fed table that has partitions or children, with all of them and itself as members.
tree (root, member) AS (
    SELECT l.rel, l.rel
    FROM links l
    JOIN pg_catalog.pg_class r ON r.oid = l.rel AND r.relhassubclass
  UNION
@PARTITION_STEP@
),
trees AS (
    SELECT t.root, bool_or(m.relkind = 'f') AS has_foreign, array_agg(t.member) AS members,
           sum(1 + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = t.member))::bigint AS relations
    FROM tree t
    JOIN pg_catalog.pg_class m ON m.oid = t.member
    GROUP BY t.root
),
-- Links that a child has in common with its parent. The child is read through the parent, where the parent's link counts.
inherited AS (
    SELECT l.seq, t.member AS rel, ma.attnum::integer AS att,
           bool_or(l.deptype IS NOT NULL OR
@TRUSTED_OWNER@) AS counts
    FROM tree t
    JOIN links l ON l.rel = t.root
    JOIN pg_catalog.pg_class r ON r.oid = l.rel
    JOIN pg_catalog.pg_class s ON s.oid = l.seq
    JOIN pg_catalog.pg_attribute ra ON ra.attrelid = l.rel AND ra.attnum = l.att
    JOIN pg_catalog.pg_attribute ma ON ma.attrelid = t.member AND ma.attname = ra.attname
    WHERE t.member <> t.root
    GROUP BY l.seq, t.member, ma.attnum
),
-- Members whose values another sequence hands out, each with that sequence.
members_of_others AS (
    SELECT l.seq, l.rel, l.att, string_agg(concat_ws(':', t.member, o.seq), ' ' ORDER BY t.member, o.seq) AS list
    FROM tree t
    JOIN links l ON l.rel = t.root
    JOIN pg_catalog.pg_attribute ra ON ra.attrelid = l.rel AND ra.attnum = l.att
    JOIN pg_catalog.pg_attribute ma ON ma.attrelid = t.member AND ma.attname = ra.attname
    CROSS JOIN LATERAL (
        SELECT d.objid AS seq
        FROM pg_catalog.pg_depend d
        WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = t.member AND d.refobjsubid = ma.attnum
          AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i'
      UNION
        SELECT d.refobjid
        FROM pg_catalog.pg_attrdef ad
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
        WHERE ad.adrelid = t.member AND ad.adnum = ma.attnum AND d.refclassid = 'pg_catalog.pg_class'::regclass
          AND d.refobjsubid = 0
    ) AS o
    JOIN pg_catalog.pg_sequence oq ON oq.seqrelid = o.seq
    LEFT JOIN links own ON own.seq = l.seq AND own.rel = t.member AND own.att = ma.attnum
    WHERE t.member <> t.root AND o.seq <> l.seq AND own.seq IS NULL
    GROUP BY l.seq, l.rel, l.att
),
-- The base type of each fed column, through domains over domains; the modifier nearest to the column counts.
bases (type, base, modifier, depth) AS (
    SELECT DISTINCT a.atttypid, a.atttypid, -1, 0
    FROM links l
    JOIN pg_catalog.pg_attribute a ON a.attrelid = l.rel AND a.attnum = l.att
  UNION ALL
    SELECT b.type, t.typbasetype, CASE WHEN b.modifier >= 0 THEN b.modifier ELSE t.typtypmod END, b.depth + 1
    FROM bases b
    JOIN pg_catalog.pg_type t ON t.oid = b.base AND t.typtype = 'd'
)
SELECT
@FEED_COLUMNS@,
    quote_ident(current_user) AS role,
    -- A taken id of the column makes an insert fail.
    COALESCE((SELECT bool_or(k.holds AND k.alone) FROM (
@KEYS@
    ) AS k), false) AS keyed,
    COALESCE(t.relations, 1 + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = r.oid)) AS relations,
    -- A session that inserts into these tables runs the functions of their owners anyway.
    '' AS owners,
    NULL::text AS follow_argument,
    false AS follow_always,
    false AS runs_functions,
    false AS endangers_superuser,
    -- Declared links are known to the agent only.
    NULL::text AS wanted,
    NULL::bigint AS entry,
    mo.list AS members_of_others,
    -- A login does not look for what uses the column: the agent says how to widen it.
    NULL::text AS widen_obstacle,
    -- These decide how a pass divides its work into transactions; here there is one table with its partitions.
    false AS may_lock,
    0::bigint AS pages,
    NULL::text AS unindexed,
    0::bigint AS files
FROM links l
JOIN pg_catalog.pg_sequence q ON q.seqrelid = l.seq
JOIN pg_catalog.pg_class s ON s.oid = q.seqrelid
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_class r ON r.oid = l.rel
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = l.rel AND a.attnum = l.att
JOIN LATERAL (
    SELECT b.base, b.modifier FROM bases b WHERE b.type = a.atttypid ORDER BY b.depth DESC LIMIT 1
) AS b ON true
LEFT JOIN trees t ON t.root = l.rel
LEFT JOIN members_of_others mo ON mo.seq = l.seq AND mo.rel = l.rel AND mo.att = l.att
LEFT JOIN inherited h ON h.seq = l.seq AND h.rel = l.rel AND h.att = l.att
-- Another session's temporary table cannot be read.
WHERE (r.relpersistence <> 't' OR rn.oid = pg_catalog.pg_my_temp_schema())
  AND (h.seq IS NULL OR NOT h.counts AND (l.deptype IS NOT NULL OR
@TRUSTED_OWNER@))
ORDER BY l.seq, l.rel, l.att
