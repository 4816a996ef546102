CREATE OR REPLACE VIEW pgmedic.sequence_columns AS
@LINKS@;
REVOKE ALL ON TABLE pgmedic.sequence_columns FROM PUBLIC;

-- The sequences that feed a column, also through tables that it is a partition or child of. A sequence is sole where this
-- column is all that it feeds, in a table without partitions or children: that is known from few rows of the catalog, which
-- a connection's first call reads in a fraction of the time.
CREATE OR REPLACE FUNCTION pgmedic.sequences_of("table" oid, "column" name)
RETURNS TABLE (seq oid, increment bigint, max bigint, min bigint, cache bigint, cycle boolean, name text, identity boolean,
               sole boolean)
LANGUAGE plpgsql STABLE PARALLEL UNSAFE
AS $pgmedic$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    SELECT q.seqrelid, q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle, format('%I.%I', n.nspname, s.relname),
           d.deptype = 'i', true
    FROM pg_class r
    JOIN pg_attribute a ON a.attrelid = r.oid AND a.attname = $2 AND a.atttypid IN (20, 21, 23)
                       AND a.attinhcount = 0
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = r.oid AND d.refobjsubid = a.attnum
                    AND d.classid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')
    JOIN pg_sequence q ON q.seqrelid = d.objid
    JOIN pg_class s ON s.oid = q.seqrelid
    JOIN pg_namespace n ON n.oid = s.relnamespace
    WHERE r.oid = $1 AND r.relkind = 'r' AND r.relpersistence <> 't' AND NOT r.relhassubclass
      AND ARRAY(SELECT u.classid::bigint * 4294967296 + u.objid::bigint FROM pg_depend u
                WHERE u.refclassid = 'pg_class'::regclass AND u.refobjid = q.seqrelid
                  AND u.classid IN ('pg_attrdef'::regclass, 'pg_type'::regclass))
          = CASE d.deptype WHEN 'i' THEN '{}' ELSE
              ARRAY(SELECT 'pg_attrdef'::regclass::oid::bigint * 4294967296 + ad.oid::bigint FROM pg_attrdef ad
                    WHERE ad.adrelid = r.oid AND ad.adnum = a.attnum
                      AND pg_get_expr(ad.adbin, ad.adrelid)
                          = format('nextval(''%s''::regclass)', replace(q.seqrelid::regclass::text, '''', '''''')))
            END
      AND (a.atthasdef OR d.deptype = 'i')
      AND NOT EXISTS (SELECT FROM pg_depend o
                      WHERE o.refclassid = 'pg_class'::regclass AND o.refobjid = r.oid AND o.refobjsubid = a.attnum
                        AND o.classid = 'pg_class'::regclass AND o.deptype IN ('a', 'i') AND o.objid <> d.objid);
    IF FOUND THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE up (rel) AS (
        SELECT $1
      UNION
        SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.rel
    )
    SELECT q.seqrelid, q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle, format('%I.%I', n.nspname, c.relname),
           bool_or(f.identity), false
    FROM up
    JOIN pg_attribute a ON a.attrelid = up.rel AND a.attname = $2
    -- OFFSET 0 makes the planner look the one column up, instead of computing the whole view first.
    CROSS JOIN LATERAL (
        SELECT l.seq, l.identity FROM pgmedic.sequence_columns l
        WHERE l.rel = up.rel AND l.att = a.attnum
          -- A sequence left behind by a column that draws from another one by now feeds nothing.
          AND (l.identity OR l.expression IS NOT NULL
               OR NOT EXISTS (SELECT FROM pgmedic.sequence_columns o
                              WHERE o.rel = up.rel AND o.att = a.attnum AND o.seq <> l.seq
                                AND (o.identity OR o.expression IS NOT NULL)))
        OFFSET 0
    ) AS f
    JOIN pg_sequence q ON q.seqrelid = f.seq
    JOIN pg_class c ON c.oid = q.seqrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    GROUP BY q.seqrelid, q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle, n.nspname, c.relname;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.sequences_of(oid, name) FROM PUBLIC;
