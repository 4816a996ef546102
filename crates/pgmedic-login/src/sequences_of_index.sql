/* pgmedic:inline-repair */
-- The sequences that feed the one column of a unique index, each with every column it feeds: the columns of
-- sequences/catalog.sql, found from one index by index look-ups alone, so that it costs a few milliseconds in a
-- database of any size. No row: the index covers several columns or an expression, or no sequence feeds its column.
-- $1 schema, $2 table, $3 constraint or index, as the error names them (a partition's, where there are partitions).
WITH RECURSIVE
-- The table and what it is a partition or child of, with the column in each.
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
-- Now all that these sequences feed: the max_id is over every column.
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
    -- A type's columns are found by what depends on the type.
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
trees AS (
    SELECT t.root, bool_or(m.relkind = 'f') AS has_foreign,
           sum(1 + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = t.member))::bigint AS relations
    FROM tree t
    JOIN pg_catalog.pg_class m ON m.oid = t.member
    GROUP BY t.root
),
-- Links that a child repeats: they are looked at through its parent, where that one counts.
inherited AS (
    SELECT l.seq, t.member AS rel, ma.attnum::integer AS att,
           bool_or(l.deptype IS NOT NULL OR r.relowner = s.relowner) AS counts
    FROM tree t
    JOIN links l ON l.rel = t.root
    JOIN pg_catalog.pg_class r ON r.oid = l.rel
    JOIN pg_catalog.pg_class s ON s.oid = l.seq
    JOIN pg_catalog.pg_attribute ra ON ra.attrelid = l.rel AND ra.attnum = l.att
    JOIN pg_catalog.pg_attribute ma ON ma.attrelid = t.member AND ma.attname = ra.attname
    WHERE t.member <> t.root
    GROUP BY l.seq, t.member, ma.attnum
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
    quote_ident(current_user) AS role,
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
    '' AS keepers,
    l.deptype::text AS dependency,
    l.expression,
    NULL::text AS wanted,
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL AND a.atthasdef THEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_attrdef ad
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
        JOIN pg_catalog.pg_sequence o ON o.seqrelid = d.refobjid
        WHERE ad.adrelid = l.rel AND ad.adnum = l.att AND d.refclassid = 'pg_catalog.pg_class'::regclass)
    END AS other_default,
    r.oid::bigint AS rel_oid,
    quote_ident(rn.nspname) AS rel_schema_quoted,
    quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS rel_quoted,
    quote_ident(a.attname) AS att_quoted,
    r.relkind::text AS rel_kind,
    r.relowner = s.relowner AS same_owner,
    quote_ident(pg_catalog.pg_get_userbyid(r.relowner)) AS rel_owner,
    b.base::bigint AS type_oid,
    CASE WHEN b.modifier >= 0 THEN b.modifier ELSE a.atttypmod END AS type_modifier,
    pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
    CASE WHEN r.relkind = 'p' THEN NOT EXISTS (
        SELECT FROM pg_catalog.pg_partitioned_table pt WHERE pt.partrelid = r.oid AND a.attnum = ANY (pt.partattrs))
    ELSE a.attinhcount = 0 END AS may_widen,
    pg_catalog.has_schema_privilege(rn.oid, 'USAGE') AS may_enter_rel_schema,
    pg_catalog.has_table_privilege(r.oid, 'SELECT')
        OR pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT') AS may_read_column,
    pg_catalog.row_security_active(r.oid) AS hides_rows,
    false AS may_hold,
    -- What follows decides how a pass shares out its transactions; here there is one table and its kin.
    0::bigint AS pages,
    NULL::text AS unindexed,
    COALESCE(t.relations, 1 + (SELECT count(*) FROM pg_catalog.pg_index x WHERE x.indrelid = r.oid)) AS relations,
    0::bigint AS files,
    t.root IS NOT NULL AS has_children,
    COALESCE(t.has_foreign, false) AS has_foreign,
    -- An insert into these tables runs their functions anyway.
    false AS runs_functions,
    false AS endangers_superuser
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
LEFT JOIN inherited h ON h.seq = l.seq AND h.rel = l.rel AND h.att = l.att
-- Another session's temporary table cannot be read.
WHERE (r.relpersistence <> 't' OR rn.oid = pg_catalog.pg_my_temp_schema())
  AND (h.seq IS NULL OR NOT h.counts AND (l.deptype IS NOT NULL OR r.relowner = s.relowner))
ORDER BY l.seq, l.rel, l.att
