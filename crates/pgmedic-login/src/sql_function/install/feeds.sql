-- Whether a taken id of the column makes an insert fail in one of these tables, which are a table with its partitions and
-- children: a unique index is on nothing but the column and what is computed from it, the partition key aside. And whether it is
-- part of a longer primary key.
CREATE OR REPLACE FUNCTION pgmedic.keys_of(tables oid[], "column" name, OUT keyed boolean, OUT in_primary_key boolean)
LANGUAGE sql STABLE PARALLEL UNSAFE
AS $pgmedic$
    SELECT COALESCE(bool_or(i.holds AND i.alone), false), COALESCE(bool_or(i.indisprimary AND i.holds AND NOT i.alone), false)
    FROM (
@KEYS@
    ) AS i
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.keys_of(oid[], name) FROM PUBLIC;

-- The columns that one sequence feeds, with what a repair must know of each to read it. Where the sequence feeds one column
-- alone, as sequences_of says, that column is given, and little is read.
-- An older script's function may return other columns.
DROP FUNCTION IF EXISTS pgmedic.feeds_of(oid, oid, name);
CREATE FUNCTION pgmedic.feeds_of(sequence oid, sole_table oid, sole_column name)
RETURNS TABLE (rel oid, attname name, type oid, counts boolean, supported boolean, name text,
               has_foreign boolean, indexed boolean, relations integer, members oid[], untrusted text, highest numeric,
               -- The rows of its partitions and children are not this column's.
               alone boolean,
               -- A unique index makes an insert of a taken id fail; of any column that the sequence feeds; it is part of a
               -- longer primary key.
               keyed boolean, any_keyed boolean, in_primary_key boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $pgmedic$
#variable_conflict use_column
BEGIN
    IF $2 IS NOT NULL THEN
        RETURN QUERY
        SELECT r.oid, a.attname, a.atttypid, true, true, format('%I.%I', n.nspname, r.relname), false,
               EXISTS (SELECT FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid AND i.relam = 403
                       WHERE x.indrelid = r.oid AND x.indisvalid AND x.indpred IS NULL AND x.indkey[0] = a.attnum),
               1, ARRAY[r.oid], NULL::text,
               CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END::numeric,
               false, k.keyed, k.keyed, k.in_primary_key
        FROM pg_class r
        JOIN pg_namespace n ON n.oid = r.relnamespace
        JOIN pg_attribute a ON a.attrelid = r.oid
        CROSS JOIN LATERAL pgmedic.keys_of(ARRAY[r.oid], $3) AS k
        WHERE r.oid = $2 AND a.attname = $3;
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE links AS (
        SELECT f.rel, a.attname,
               b.type, b.modifier,
               -- The table's owner could move the sequence anyway, as the agent judges it; and this function may read the table.
               f.owned OR r.relowner = s.relowner
               OR r.relowner IN (SELECT u.oid FROM pg_roles u WHERE u.rolsuper OR u.rolname = current_user) AND
@TRUSTED_OWNER@ AS counts,
               f.identity OR COALESCE(f.expression ~ '\mnextval\(', false) AS draws,
               -- Its new ids are values of the sequence, at most cast to the column's type, which may have digits behind the point.
               r.relkind IN ('r', 'p')
               AND (b.type IN (20, 21, 23)
                    OR b.type = 1700
                       AND (b.modifier = -1
                            OR (b.modifier - 4) & 1024 = 0 AND ((b.modifier - 4) >> 16) & 65535 > (b.modifier - 4) & 1023))
               AND COALESCE(f.expression = c.call
                            OR left(f.expression, length(c.call) + 1) = '(' || c.call
                               AND substr(f.expression, length(c.call) + 2)
                                   ~ '^\)::(smallint|integer|bigint|numeric(\([0-9]+,[0-9]+\))?)$',
                            f.identity OR NOT a.atthasdef
                            -- A text that is looked up at each insert, and means the sequence that the column owns.
                            OR EXISTS (SELECT FROM pg_attrdef ad
                                       WHERE ad.adrelid = f.rel AND ad.adnum = f.att
                                         AND pg_get_expr(ad.adbin, ad.adrelid) IN (
                                             SELECT format(e.form, v.name)
                                             FROM (VALUES ('nextval((%L::text)::regclass)'),
                                                          ('nextval((%L::character varying)::regclass)')) AS e (form),
                                                  (VALUES (quote_ident(s.relname), true), (c.name, false)) AS v (name, alone)
                                             -- Without a schema, the text may mean another sequence of the name.
                                             WHERE NOT (v.alone AND EXISTS (
                                                 SELECT FROM pg_class o
                                                 WHERE o.relname = s.relname AND o.relkind = 'S' AND o.oid <> s.oid))))) AS supported,
               format('%I.%I', n.nspname, r.relname) AS name
        -- OFFSET 0 makes the planner look the one sequence up, instead of computing the whole view first.
        FROM (SELECT l.* FROM pgmedic.sequence_columns l WHERE l.seq = $1 OFFSET 0) AS f
        JOIN pg_class s ON s.oid = $1
        CROSS JOIN LATERAL (
            SELECT format('nextval(''%s''::regclass)', replace($1::regclass::text, '''', '''''')) AS call,
                   format('%I.%I', sn.nspname, s.relname) AS name
            FROM pg_namespace sn
            WHERE sn.oid = s.relnamespace
        ) AS c
        JOIN pg_class r ON r.oid = f.rel AND r.relkind <> 'v'
        JOIN pg_namespace n ON n.oid = r.relnamespace
        JOIN pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.att
        CROSS JOIN LATERAL (
@BASE_TYPE@
        ) AS b
        WHERE r.relpersistence <> 't'
    ),
    tree (root, member) AS (
        SELECT l.rel, l.rel FROM links l
      UNION
        SELECT t.root, i.inhrelid FROM tree t JOIN pg_inherits i ON i.inhparent = t.member
    ),
    -- Children whose values another sequence hands out. Partitions store rows that their parent's default numbers.
    of_others AS (
        SELECT l.rel AS root, l.attname, t.member
        FROM links l
        JOIN pg_class r ON r.oid = l.rel AND r.relkind = 'r'
        JOIN tree t ON t.root = l.rel AND t.member <> l.rel
        JOIN pg_attribute m ON m.attrelid = t.member AND m.attname = l.attname
        CROSS JOIN LATERAL (
            SELECT o.seq FROM pgmedic.sequence_columns o
            WHERE o.rel = t.member AND o.att = m.attnum AND (o.identity OR o.expression IS NOT NULL)
            OFFSET 0
        ) AS o
        WHERE o.seq <> $1 AND NOT EXISTS (SELECT FROM links own WHERE own.rel = t.member AND own.attname = l.attname)
    ),
    -- What is read of each column: the table with all its members, or without those children each of the others alone.
    parts AS (
        SELECT l.rel AS root, l.attname, l.rel AS part, false AS alone, t.member
        FROM links l
        JOIN tree t ON t.root = l.rel
        WHERE NOT EXISTS (SELECT FROM of_others o WHERE o.root = l.rel AND o.attname = l.attname)
      UNION ALL
        SELECT l.rel, l.attname, t.member, true, t.member
        FROM links l
        JOIN tree t ON t.root = l.rel
        WHERE EXISTS (SELECT FROM of_others o WHERE o.root = l.rel AND o.attname = l.attname)
          AND NOT EXISTS (SELECT FROM of_others o WHERE o.root = l.rel AND o.attname = l.attname AND o.member = t.member)
    ),
    trees AS (
        SELECT p.root, p.attname, p.part, p.alone, bool_or(m.relkind = 'f') AS has_foreign,
               (sum(1 + (SELECT count(*) FROM pg_index x WHERE x.indrelid = m.oid)))::integer AS relations,
               array_agg(m.oid) AS members
        FROM parts p
        JOIN pg_class m ON m.oid = p.member
        GROUP BY p.root, p.attname, p.part, p.alone
    )
    SELECT s.part, l.attname, l.type, l.counts, l.supported,
           CASE WHEN s.part = l.rel THEN l.name
           ELSE (SELECT format('%I.%I', n.nspname, c.relname)
                 FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = s.part) END,
           s.has_foreign,
           -- Whether an unfiltered btree (access method 403) begins with the column, in each table that holds rows.
           NOT EXISTS (
               SELECT FROM unnest(s.members) AS u (rel)
               JOIN pg_class m ON m.oid = u.rel AND m.relkind = 'r'
               JOIN pg_attribute k ON k.attrelid = m.oid AND k.attname = l.attname
               WHERE NOT EXISTS (
                   SELECT FROM pg_index x
                   JOIN pg_class i ON i.oid = x.indexrelid AND i.relam = 403
                   WHERE x.indrelid = m.oid AND x.indisvalid AND x.indpred IS NULL AND x.indkey[0] = k.attnum)
           ) AS indexed,
           s.relations, s.members,
           (SELECT min(w.found) FROM pgmedic.untrusted_relations w WHERE w.rel = ANY (s.members)) AS untrusted,
           CASE l.type WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 WHEN 20 THEN 9223372036854775807
                ELSE least(9223372036854775807,
                           CASE WHEN l.modifier >= 0 THEN power(10::numeric, (((l.modifier - 4) >> 16) & 65535) - ((l.modifier - 4) & 1023)) - 1
                           ELSE 9223372036854775807 END) END::numeric AS highest,
           s.alone, k.keyed, bool_or(k.keyed AND l.counts AND l.supported AND NOT s.has_foreign) OVER (), k.in_primary_key
    FROM links l
    JOIN trees s ON s.root = l.rel AND s.attname = l.attname
    CROSS JOIN LATERAL pgmedic.keys_of(s.members, l.attname) AS k
    -- A link that a child has in common with its parent is read through the parent, where the parent's counts.
    WHERE NOT EXISTS (SELECT FROM links p JOIN tree t ON t.root = p.rel
                      WHERE t.member = l.rel AND p.rel <> l.rel AND p.attname = l.attname
                        AND (p.counts OR NOT l.counts))
      -- Where a column draws from the sequence, one that only owns it says no more than what DROP takes along.
      AND (l.draws OR NOT EXISTS (SELECT FROM links d WHERE d.draws AND d.counts))
    ORDER BY l.rel, s.part;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.feeds_of(oid, oid, name) FROM PUBLIC;
