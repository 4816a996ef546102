-- The columns that one sequence feeds, with what a repair must know of each to read it. Where the sequence feeds one column
-- alone, as sequences_of says, that column is given, and little is read.
-- An older script's function may return other columns.
DROP FUNCTION IF EXISTS pgmedic.feeds_of(oid, oid, name);
CREATE FUNCTION pgmedic.feeds_of(sequence oid, sole_table oid, sole_column name)
RETURNS TABLE (rel oid, attname name, type oid, counts boolean, supported boolean, name text,
               has_foreign boolean, indexed boolean, relations integer, members oid[], untrusted text, highest numeric)
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
               CASE a.atttypid WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 ELSE 9223372036854775807 END::numeric
        FROM pg_class r
        JOIN pg_namespace n ON n.oid = r.relnamespace
        JOIN pg_attribute a ON a.attrelid = r.oid
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
                                                  (VALUES (quote_ident(s.relname)), (c.name)) AS v (name)))) AS supported,
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
    trees AS (
        SELECT t.root, bool_or(m.relkind = 'f') AS has_foreign,
               (sum(1 + (SELECT count(*) FROM pg_index x WHERE x.indrelid = m.oid)))::integer AS relations,
               array_agg(m.oid) AS members
        FROM tree t
        JOIN pg_class m ON m.oid = t.member
        GROUP BY t.root
    )
    SELECT l.rel, l.attname, l.type, l.counts, l.supported, l.name, s.has_foreign,
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
                           ELSE 9223372036854775807 END) END::numeric AS highest
    FROM links l
    JOIN trees s ON s.root = l.rel
    -- A link that a child has in common with its parent is read through the parent, where the parent's counts.
    WHERE NOT EXISTS (SELECT FROM links p JOIN tree t ON t.root = p.rel
                      WHERE t.member = l.rel AND p.rel <> l.rel AND p.attname = l.attname
                        AND (p.counts OR NOT l.counts))
      -- Where a column draws from the sequence, one that only owns it says no more than what DROP takes along.
      AND (l.draws OR NOT EXISTS (SELECT FROM links d WHERE d.draws AND d.counts))
    ORDER BY l.rel;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.feeds_of(oid, oid, name) FROM PUBLIC;
