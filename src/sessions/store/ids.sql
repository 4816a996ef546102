-- The columns whose ids come from a sequence, in each table whose rows are deleted with a session: the table of the sessions
-- itself, and those that ON DELETE CASCADE reaches. A sequence feeds a column by ownership (serial, identity), by a default,
-- also one that names its sequence by a text, by a trigger that assigns its value, or because the configuration says so. One
-- row for each column and sequence.
-- @DECLARED@: rows of an entry, the sequence's schema and name, the column's schema, table and name; and where one part of
-- that name is a pattern: which one, and the texts before and after the star. Each is after a comma.
WITH RECURSIVE
store AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
),
-- The tables that the sessions' table is a partition of: keys may refer to a session through these, and a sequence of theirs
-- may feed it.
ancestors AS (
    SELECT i.inhparent AS oid
    FROM store s
    JOIN pg_catalog.pg_class c ON c.oid = s.oid AND c.relispartition
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = s.oid
  UNION
    SELECT i.inhparent
    FROM ancestors a
    JOIN pg_catalog.pg_class c ON c.oid = a.oid AND c.relispartition
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid
),
-- root: the table that a statement names, for its partitions and children too. steps: 0 the sessions, 1 the rows that refer
-- to one of them, 2 all that are further away.
reached (rel, root, steps) AS (
    SELECT s.oid, s.oid, 0 FROM store s
  UNION
    SELECT x.rel, x.root, x.steps
    FROM reached d
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS rel, d.root, d.steps FROM pg_catalog.pg_inherits i WHERE i.inhparent = d.rel
      UNION ALL
        SELECT k.conrelid, k.conrelid, least(d.steps + 1, 2)
        FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.confdeltype = 'c' AND k.conparentid = 0
          AND (k.confrelid = d.rel OR d.steps = 0 AND k.confrelid IN (SELECT oid FROM ancestors))
    ) AS x
),
deleted (rel, root, steps) AS (
    SELECT r.rel, r.root, r.steps FROM reached r
  UNION
    SELECT a.oid, s.oid, 0 FROM ancestors a CROSS JOIN store s
),
roots AS (
    SELECT d.rel, d.root, min(d.steps) AS steps FROM deleted d GROUP BY d.rel, d.root
),
named AS (
    SELECT DISTINCT d.rel, n.nspname, c.relname
    FROM deleted d
    JOIN pg_catalog.pg_class c ON c.oid = d.rel
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
),
-- Their own defaults, and no others: to print an expression locks its table.
defaults AS MATERIALIZED (
    SELECT t.nspname, ad.adrelid, ad.adnum, ad.adbin
    FROM named t
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = t.rel
),
-- The sequences that are named by a text: in a default, and in a trigger's function that draws one value only, and assigns it to a
-- column before a row is added. A function that may do so for other tables is not read.
drawn (name, nspname, rel, att) AS (
    SELECT replace(found[1], '''''', ''''), ad.nspname, ad.adrelid, ad.adnum::integer
    FROM defaults ad
    CROSS JOIN regexp_match(pg_get_expr(ad.adbin, ad.adrelid), $$nextval\(\('((?:[^']|'')+)'::text\)::regclass\)$$) AS found
  UNION
    SELECT v.name, t.nspname, t.rel, a.attnum::integer
    FROM named t
    JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.rel AND NOT g.tgisinternal AND g.tgenabled <> 'D' AND g.tgtype & 7 = 7
    JOIN pg_catalog.pg_proc f ON f.oid = g.tgfoid AND f.prosrc ~* 'nextval'
    JOIN pg_catalog.pg_language p ON p.oid = f.prolang AND p.lanname = 'plpgsql'
    -- Without comments.
    CROSS JOIN regexp_replace(regexp_replace(f.prosrc, '/\*.*?\*/', ' ', 'g'), '--[^\n\r]*', ' ', 'g') AS b (body)
    CROSS JOIN (SELECT $$(?:pg_catalog\.)?nextval\s*\(\s*'((?:"[^"']+"|\w+)(?:\.(?:"[^"']+"|\w+))?)'(?:\s*::\s*regclass)?\s*\)$$
                       || $$(?:\s*::\s*\w+)?$$ AS drawn,
                       $$\mnew\.("[^"]+"|\w+)$$ AS target) AS r
    CROSS JOIN LATERAL (
        SELECT found[1] AS attname, found[2] AS name
        FROM regexp_match(b.body, r.target || $$\s*:?=\s*(?:coalesce\s*\(\s*new\.(?:"[^"]+"|\w+)\s*,\s*)?$$ || r.drawn
                                  || $$\s*\)?\s*;$$, 'i') AS found
      UNION ALL
        SELECT found[2], found[1]
        FROM regexp_match(b.body, $$\mselect\s+$$ || r.drawn || $$\s+into\s+(?:strict\s+)?$$ || r.target || $$\s*;$$, 'i') AS found
    ) AS v
    JOIN pg_catalog.pg_attribute a
        ON a.attrelid = t.rel AND a.attnum > 0 AND NOT a.attisdropped
       AND a.attname = CASE WHEN starts_with(v.attname, '"') THEN btrim(v.attname, '"') ELSE lower(v.attname) END
    WHERE (SELECT count(*) FROM regexp_matches(b.body, '\mnextval\M', 'gi')) = 1
      AND b.body !~* '\mtg_(table_name|table_schema|relname|relid|argv)\M'
),
-- entry: of the configuration.
links (seq, rel, att, counts, entry) AS (
    SELECT d.objid, d.refobjid, d.refobjsubid, true, NULL::integer
    FROM named t
    JOIN pg_catalog.pg_depend d ON d.refobjid = t.rel
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION
    SELECT d.refobjid, ad.adrelid, ad.adnum::integer, true, NULL
    FROM named t
    JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = t.rel
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
    WHERE d.refclassid = 'pg_catalog.pg_class'::regclass
  UNION
    SELECT s.oid, d.rel, d.att, false, NULL
    FROM drawn d
    CROSS JOIN regexp_match(d.name, $r$^(?:("(?:[^"]|"")+"|[^".]+)\.)?("(?:[^"]|"")+"|[^".]+)$$r$) AS p (parts)
    CROSS JOIN LATERAL (
        SELECT array_agg(CASE WHEN starts_with(u.part, '"') THEN replace(substr(u.part, 2, length(u.part) - 2), '""', '"')
                              ELSE lower(u.part) END ORDER BY u.place) AS parts
        FROM unnest(p.parts) WITH ORDINALITY AS u (part, place)
    ) AS q
    JOIN pg_catalog.pg_namespace n ON n.nspname = coalesce(q.parts[1], d.nspname)
    JOIN pg_catalog.pg_class s ON s.relnamespace = n.oid AND s.relname = q.parts[2]
  UNION
    SELECT s.oid, t.rel, a.attnum::integer, true, f.entry
    FROM (VALUES (NULL::integer, NULL, NULL, NULL, NULL, NULL, NULL::integer, NULL, NULL)@DECLARED@)
        AS f (entry, seq_schema, seq_name, schema, name, attname, star, before, after)
    JOIN named t ON (f.star = 1 OR t.nspname = f.schema) AND (f.star = 2 OR t.relname = f.name)
    JOIN pg_catalog.pg_attribute a
        ON a.attrelid = t.rel AND a.attnum > 0 AND NOT a.attisdropped AND (f.star = 3 OR a.attname = f.attname)
    CROSS JOIN LATERAL (
        SELECT CASE f.star WHEN 1 THEN t.nspname WHEN 2 THEN t.relname WHEN 3 THEN a.attname END::text AS part
    ) AS p
    CROSS JOIN LATERAL (
        SELECT CASE WHEN f.star = 0 THEN ''
                    WHEN starts_with(p.part, f.before) AND right(p.part, length(f.after)) = f.after
                        THEN substr(p.part, length(f.before) + 1, length(p.part) - length(f.before) - length(f.after))
               END AS text
    ) AS x
    JOIN pg_catalog.pg_namespace n ON n.nspname = replace(f.seq_schema, '*', x.text)
    JOIN pg_catalog.pg_class s ON s.relnamespace = n.oid AND s.relname = replace(f.seq_name, '*', x.text) AND s.relkind = 'S'
    WHERE f.star = 0 OR x.text <> ''
),
-- How rows of such a table refer to the sessions. All of a partition's rows are taken for those of its whole table.
joins AS (
    SELECT r.root,
           string_agg('(' || j.condition || ')', ' OR ') AS condition,
           string_agg(j.own_columns, ', ') AS own_columns,
           string_agg(j.store_columns, ', ') AS store_columns,
           min(j.own_unread) AS own_unread,
           min(j.store_unread) AS store_unread
    FROM (SELECT DISTINCT r.root FROM roots r WHERE r.steps = 1) AS r
    JOIN pg_catalog.pg_constraint k ON k.conrelid = r.root AND k.contype = 'f' AND k.confdeltype = 'c' AND k.conparentid = 0
    JOIN deleted p ON p.rel = k.confrelid AND p.steps = 0
    CROSS JOIN LATERAL (
        SELECT string_agg(format('t.%I OPERATOR(%I.%s) c.%I', ta.attname, opn.nspname, op.oprname, ca.attname), ' AND ')
                   AS condition,
               string_agg(quote_ident(ca.attname), ', ') AS own_columns,
               string_agg(quote_ident(ta.attname), ', ') AS store_columns,
               min(quote_ident(ca.attname)) FILTER (WHERE NOT pg_catalog.has_column_privilege(k.conrelid, ca.attnum, 'SELECT'))
                   AS own_unread,
               min(quote_ident(ta.attname)) FILTER (WHERE NOT pg_catalog.has_column_privilege(p.root, ta.attnum, 'SELECT'))
                   AS store_unread
        FROM unnest(k.conkey, k.confkey, k.conpfeqop) AS u (own, referenced, equals)
        JOIN pg_catalog.pg_attribute ca ON ca.attrelid = k.conrelid AND ca.attnum = u.own
        JOIN pg_catalog.pg_attribute pa ON pa.attrelid = k.confrelid AND pa.attnum = u.referenced
        JOIN pg_catalog.pg_attribute ta ON ta.attrelid = p.root AND ta.attname = pa.attname
        JOIN pg_catalog.pg_operator op ON op.oid = u.equals
        JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
    ) AS j
    GROUP BY r.root
)
SELECT quote_ident(sn.nspname) || '.' || quote_ident(s.relname) AS sequence,
       quote_ident(sn.nspname) AS sequence_schema,
       sn.nspname AS raw_schema,
       s.relname AS raw_name,
       quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS relation,
       quote_ident(rn.nspname) AS relation_schema,
       quote_ident(a.attname) AS column,
       base.oid IN (25, 1042, 1043) AS is_text,
       min(t.steps) AS steps,
       l.entry,
       q.seqincrement AS increment,
       q.seqmin AS lowest,
       q.seqmax AS highest,
       q.seqcache AS cache,
       pg_catalog.pg_has_role(s.relowner, 'USAGE') AND bool_or(l.counts) AS is_approvable,
       pg_catalog.has_schema_privilege(sn.oid, 'USAGE') AS may_enter,
       pg_catalog.has_sequence_privilege(s.oid, 'SELECT') AS may_read_sequence,
       pg_catalog.has_schema_privilege(rn.oid, 'USAGE') AS may_enter_relation,
       pg_catalog.row_security_active(r.oid) AS hides_rows,
       coalesce(j.own_unread, CASE WHEN NOT pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'SELECT')
                                   THEN quote_ident(a.attname) END) AS unread,
       j.condition,
       j.own_columns,
       j.store_columns,
       j.store_unread
FROM links l
JOIN pg_catalog.pg_sequence q ON q.seqrelid = l.seq AND NOT q.seqcycle
JOIN pg_catalog.pg_class s ON s.oid = l.seq
JOIN pg_catalog.pg_namespace sn ON sn.oid = s.relnamespace
JOIN pg_catalog.pg_attribute la ON la.attrelid = l.rel AND la.attnum = l.att
-- A partition's column has the name of its table's.
JOIN roots t ON t.rel = l.rel
JOIN pg_catalog.pg_class r ON r.oid = t.root
JOIN pg_catalog.pg_namespace rn ON rn.oid = r.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.root AND a.attname = la.attname
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
CROSS JOIN LATERAL (SELECT CASE WHEN y.typtype = 'd' THEN y.typbasetype ELSE y.oid END AS oid) AS base
LEFT JOIN joins j ON j.root = t.root
-- Numbers; and the sessions' texts, as far as they are values and nothing else.
WHERE (base.oid IN (20, 21, 23, 1700) OR base.oid IN (25, 1042, 1043) AND t.steps = 0 AND l.entry IS NULL)
  -- Nor an id that is computed from a value.
  AND (l.entry IS NOT NULL
       OR NOT EXISTS (SELECT FROM defaults ad
                      CROSS JOIN pg_get_expr(ad.adbin, ad.adrelid) AS e (default_expression)
                      WHERE ad.adrelid = l.rel AND ad.adnum = l.att AND e.default_expression ~ 'nextval\('
                        AND e.default_expression
                            !~ $$^\(?nextval\(\(?'([^']|'')+'(::text\))?::regclass\)\)?(::[a-z0-9 ]+)?\Z$$))
GROUP BY s.oid, s.relname, s.relowner, sn.oid, sn.nspname, r.oid, r.relname, rn.oid, rn.nspname, a.attrelid, a.attnum, a.attname,
         base.oid, q.seqincrement, q.seqmin, q.seqmax, q.seqcache, l.entry, j.condition, j.own_columns, j.store_columns,
         j.own_unread, j.store_unread
ORDER BY steps, sequence, relation, "column"
