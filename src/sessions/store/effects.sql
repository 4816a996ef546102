-- The foreign keys that the deletion of a session reaches, directly or through rows that are deleted with it: a row for
-- each key, and what that key does to the rows of its table (the child).
WITH RECURSIVE
-- The table of the sessions with its partitions and children.
store AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@
  UNION
    SELECT i.inhrelid FROM store s JOIN pg_catalog.pg_inherits i ON i.inhparent = s.oid
),
-- The tables that the sessions' table is a partition of: keys may refer to a session through these.
ancestors AS (
    SELECT i.inhparent AS oid
    FROM store s
    JOIN pg_catalog.pg_class c ON c.oid = s.oid AND c.relispartition
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = s.oid
    WHERE i.inhparent NOT IN (SELECT oid FROM store)
  UNION
    SELECT i.inhparent
    FROM ancestors a
    JOIN pg_catalog.pg_class c ON c.oid = a.oid AND c.relispartition
    JOIN pg_catalog.pg_inherits i ON i.inhrelid = a.oid
),
-- The tables whose rows sessions refer to, such as the users, and those that these refer to.
parents AS (
    SELECT k.confrelid AS oid
    FROM store s
    JOIN pg_catalog.pg_constraint k ON k.conrelid = s.oid AND k.contype = 'f'
  UNION
    SELECT k.confrelid FROM parents p JOIN pg_catalog.pg_constraint k ON k.conrelid = p.oid AND k.contype = 'f'
),
-- The tables whose rows are deleted. steps: 0 the sessions, 1 the rows that refer to a session, 2 all that are further away.
deleted (rel, steps) AS (
    SELECT s.oid, 0 FROM store s
  UNION
    SELECT x.rel, x.steps
    FROM deleted d
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS rel, d.steps FROM pg_catalog.pg_inherits i WHERE i.inhparent = d.rel
      UNION ALL
        SELECT k.conrelid, least(d.steps + 1, 2)
        FROM pg_catalog.pg_constraint k
        WHERE k.contype = 'f' AND k.confdeltype = 'c'
          AND (k.confrelid = d.rel
               OR d.rel IN (SELECT oid FROM store) AND k.confrelid IN (SELECT oid FROM ancestors))
    ) AS x
),
reached AS (
    SELECT d.rel, min(d.steps) AS steps
    FROM (SELECT rel, steps FROM deleted UNION ALL SELECT oid, 0 FROM ancestors) AS d
    GROUP BY d.rel
)
SELECT quote_ident(cn.nspname) || '.' || quote_ident(c.relname) AS child,
       quote_ident(n.nspname) || '.' || quote_ident(s.relname) AS parent,
       r.steps,
       c.relkind = 'p' AS is_partitioned,
       k.conrelid IN (SELECT oid FROM store UNION ALL SELECT oid FROM ancestors) AS leads_back,
       k.conrelid IN (SELECT oid FROM parents) AND k.conrelid NOT IN (SELECT oid FROM store) AS is_parent_of_store,
       quote_ident(k.conname) AS name,
       own.columns,
       own.are_required,
       -- What ON DELETE SET NULL may clear, so that the row no longer refers to a session and keeps all else. From version
       -- 15 on, that may be a part of a key.
       CASE WHEN own.clearable = own.columns THEN own.clearable
            WHEN k.confmatchtype = 's' AND current_setting('server_version_num')::integer >= 150000 THEN own.clearable
       END AS clearable,
       -- The action sets a column to NULL that cannot be NULL there.
       k.confdeltype = 'n' AND own.cleared_are_kept AS cannot_clear,
       own.defaults,
       -- The row r refers to the session t; and the columns that this reads.
       own.refers,
       own.read_columns,
       k.confdeltype::text AS on_delete,
       -- The child's rows are referred to in turn, so they are more than a part of a session.
       EXISTS (SELECT FROM pg_catalog.pg_constraint o
               WHERE o.contype = 'f' AND o.confrelid = k.conrelid AND o.conrelid <> k.conrelid
                 AND o.conparentid = 0) AS is_referenced,
       -- Switched off by ALTER TABLE ... DISABLE TRIGGER: what switches exactly these on again.
       (SELECT string_agg(DISTINCT format('ALTER TABLE %I.%I ENABLE TRIGGER %I', gn.nspname, gc.relname, g.tgname), '; ')
        FROM pg_catalog.pg_trigger g
        JOIN pg_catalog.pg_class gc ON gc.oid = g.tgrelid
        JOIN pg_catalog.pg_namespace gn ON gn.oid = gc.relnamespace
        WHERE g.tgisinternal AND g.tgenabled = 'D'
          AND g.tgconstraint IN (SELECT a.oid FROM pg_catalog.pg_constraint a WHERE k.oid IN (a.oid, a.conparentid))
       ) AS disabled_fix,
       -- From version 18 on, a key may be declared without being enforced.
       (pg_catalog.to_jsonb(k) ->> 'conenforced') IS NOT DISTINCT FROM 'false' AS is_not_enforced,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND (i.indkey[0] = ANY (own.telling)
                      OR (i.indkey::smallint[])[0:cardinality(k.conkey) - 1] @> k.conkey)) AS is_indexed,
       format('FOREIGN KEY (%s) REFERENCES %I.%I (%s)%s%s',
              own.columns, n.nspname, s.relname, referenced.columns,
              CASE k.confmatchtype WHEN 'f' THEN ' MATCH FULL' END,
              CASE k.confupdtype WHEN 'r' THEN ' ON UPDATE RESTRICT'
                                 WHEN 'c' THEN ' ON UPDATE CASCADE'
                                 WHEN 'n' THEN ' ON UPDATE SET NULL'
                                 WHEN 'd' THEN ' ON UPDATE SET DEFAULT' END) AS definition,
       format('%s%s',
              CASE WHEN k.condeferrable THEN ' DEFERRABLE' END,
              CASE WHEN k.condeferred THEN ' INITIALLY DEFERRED' END) AS deferrability,
       k.convalidated AS is_validated
FROM reached r
JOIN pg_catalog.pg_constraint k ON k.confrelid = r.rel
JOIN pg_catalog.pg_class s ON s.oid = k.confrelid
JOIN pg_catalog.pg_namespace n ON n.oid = s.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
-- The primary key of the parent, where it is a part of what the child refers to: in (tenant, session), the session.
LEFT JOIN pg_catalog.pg_constraint pk
    ON pk.conrelid = k.confrelid AND pk.contype = 'p' AND k.confkey @> pk.conkey AND NOT pk.conkey @> k.confkey
CROSS JOIN LATERAL (
    SELECT string_agg(c.name, ', ' ORDER BY c.place) AS columns,
           bool_and(c.is_required) AS are_required,
           string_agg(c.name, ', ' ORDER BY c.place)
               FILTER (WHERE c.is_telling AND NOT (c.is_required OR c.is_kept OR c.is_shared)) AS clearable,
           bool_or((c.is_required OR c.is_kept) AND c.is_cleared) AS cleared_are_kept,
           string_agg(c.name, ', ' ORDER BY c.place) FILTER (WHERE c.is_cleared AND c.has_default) AS defaults,
           array_agg(c.number) FILTER (WHERE c.is_telling) AS telling,
           string_agg(c.refers, ' AND ' ORDER BY c.place) AS refers,
           string_agg(concat_ws(', ', c.name, c.referenced_name), ', ' ORDER BY c.place) AS read_columns
    FROM (
        SELECT u.place, u.number,
               quote_ident(ra.attname) AS referenced_name,
               format('t.%I OPERATOR(%I.%s) r.%I', ra.attname, opn.nspname, op.oprname, a.attname) AS refers,
               quote_ident(a.attname) AS name,
               a.attnotnull OR nulls.are_refused_by_type AS is_required,
               -- It may be NULL in some rows, and cannot be set to it.
               nulls.cannot_be_set AS is_kept,
               a.atthasdef AS has_default,
               -- The columns that say which session: of several, such as (tenant, session), those that are its own.
               m.may_tell AND CASE
                   WHEN count(*) FILTER (WHERE m.may_tell) OVER () = 1 THEN true
                   WHEN bool_or(m.may_tell AND m.is_own) OVER () THEN m.is_own
                   WHEN m.is_of_primary_key THEN u.place = max(u.place) FILTER (WHERE m.may_tell) OVER ()
                   ELSE true
               END AS is_telling,
               -- From version 15 on, the action may be about some of the columns.
               coalesce((SELECT pg_catalog.jsonb_agg(e) @> pg_catalog.to_jsonb(u.number)
                         FROM pg_catalog.jsonb_array_elements(
                             nullif(pg_catalog.to_jsonb(k) -> 'confdelsetcols', 'null')) AS e
                         HAVING count(*) > 0), true) AS is_cleared,
               EXISTS (SELECT FROM pg_catalog.pg_constraint o
                       WHERE o.conrelid = k.conrelid AND o.contype = 'f' AND o.oid <> k.oid AND o.conparentid = 0
                         AND u.number = ANY (o.conkey))
                   AS is_shared
        FROM unnest(k.conkey, k.confkey, k.conpfeqop) WITH ORDINALITY AS u (number, referenced, equals, place)
        JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number
        JOIN pg_catalog.pg_attribute ra ON ra.attrelid = k.confrelid AND ra.attnum = u.referenced
        JOIN pg_catalog.pg_operator op ON op.oid = u.equals
        JOIN pg_catalog.pg_namespace opn ON opn.oid = op.oprnamespace
        CROSS JOIN LATERAL (
            SELECT pk.oid IS NULL OR u.referenced = ANY (pk.conkey) AS may_tell,
                   EXISTS (SELECT FROM pg_catalog.pg_constraint p
                           WHERE p.conrelid = k.confrelid AND p.contype = 'p' AND u.referenced = ANY (p.conkey))
                       AS is_of_primary_key,
                   ra.attidentity <> ''
                       OR EXISTS (SELECT FROM pg_catalog.pg_attrdef e
                                  WHERE e.adrelid = ra.attrelid AND e.adnum = ra.attnum
                                    AND pg_catalog.pg_get_expr(e.adbin, e.adrelid) ~* 'nextval|uuid|random')
                       OR EXISTS (SELECT FROM pg_catalog.pg_index i
                                  WHERE i.indrelid = ra.attrelid AND i.indisunique AND i.indpred IS NULL
                                    AND i.indnkeyatts = 1 AND i.indkey[0] = ra.attnum) AS is_own
        ) AS m
        CROSS JOIN LATERAL (
            WITH RECURSIVE types (base, refuses) AS (
                SELECT y.typbasetype, y.typnotnull FROM pg_catalog.pg_type y WHERE y.oid = a.atttypid
              UNION ALL
                SELECT y.typbasetype, y.typnotnull FROM types b JOIN pg_catalog.pg_type y ON y.oid = b.base
            )
            SELECT (SELECT bool_or(b.refuses) FROM types b) AS are_refused_by_type,
                   a.attgenerated <> ''
                       -- A check without such a word is true of NULL.
                       OR EXISTS (SELECT FROM pg_catalog.pg_constraint o
                                  WHERE o.conrelid = k.conrelid AND o.contype = 'c' AND u.number = ANY (o.conkey)
                                    AND pg_catalog.pg_get_constraintdef(o.oid) ~* 'null|coalesce|distinct|case')
                       -- From version 15 on, an index may let NULL stand once.
                       OR EXISTS (SELECT FROM pg_catalog.pg_index i
                                  WHERE i.indrelid = k.conrelid AND u.number = ANY (i.indkey::smallint[])
                                    AND pg_catalog.to_jsonb(i) ->> 'indnullsnotdistinct' = 'true')
                       -- No partition may take NULL.
                       OR EXISTS (SELECT FROM pg_catalog.pg_partitioned_table p
                                  WHERE p.partrelid = k.conrelid AND u.number = ANY (p.partattrs::smallint[]))
                       AS cannot_be_set
        ) AS nulls
    ) AS c
) AS own
CROSS JOIN LATERAL (
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place) AS columns
    FROM unnest(k.confkey) WITH ORDINALITY AS u (number, place)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number
) AS referenced
-- A partition's copy of its parent's constraint has a parent, and goes with it.
WHERE k.contype = 'f' AND k.conparentid = 0
ORDER BY r.steps, child, name
