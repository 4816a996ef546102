-- pgmedic @VERSION@: lets an application in any language repair a sequence at the moment an insert meets a taken id.
-- Run it with: psql -X -v ON_ERROR_STOP=1. Running this or a newer script again keeps grants and the log's entries.
-- `pgmedic sql uninstall` removes it. All of it is in schema pgmedic and belongs to one role. It serves only tables that
-- belong to that role or a superuser, in schemas that do so too: reading a table may run functions of its owner, and the
-- owner of a schema can replace the tables in it.
BEGIN;
SET LOCAL search_path = pg_catalog, pg_temp;
SET LOCAL client_min_messages = warning;

-- Refuses a schema pgmedic, or something in it, that belongs to another role.
DO $install$
DECLARE
    installer CONSTANT name := COALESCE(@OWNER@, current_user);
    stranger name;
    builder record;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = installer) THEN
        RAISE undefined_object USING MESSAGE = format('there is no role %I', installer);
    END IF;
    IF to_regnamespace('pgmedic') IS NULL THEN
        EXECUTE format('CREATE SCHEMA pgmedic AUTHORIZATION %I', installer);
    END IF;
    -- Other roles may not create functions in the schema: a call with untyped arguments could prefer one of theirs.
    FOR builder IN
        SELECT DISTINCT a.grantee, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(g.rolname) END AS name
        FROM pg_namespace n
        JOIN pg_roles o ON o.oid = n.nspowner AND o.rolname = installer
        CROSS JOIN aclexplode(n.nspacl) AS a
        LEFT JOIN pg_roles g ON g.oid = a.grantee
        WHERE n.nspname = 'pgmedic' AND a.privilege_type = 'CREATE' AND a.grantee <> n.nspowner
    LOOP
        EXECUTE format('REVOKE CREATE ON SCHEMA pgmedic FROM %s CASCADE', builder.name);
    END LOOP;
    SELECT r.rolname INTO stranger
    FROM (
        SELECT n.nspowner AS owner FROM pg_namespace n WHERE n.nspname = 'pgmedic'
      UNION ALL
        SELECT c.relowner FROM pg_class c WHERE c.relnamespace = 'pgmedic'::regnamespace
      UNION ALL
        SELECT p.proowner FROM pg_proc p WHERE p.pronamespace = 'pgmedic'::regnamespace
    ) AS found
    JOIN pg_roles r ON r.oid = found.owner
    WHERE r.rolname <> installer
    LIMIT 1;
    IF FOUND THEN
        RAISE insufficient_privilege USING
            MESSAGE = format('schema pgmedic, or something in it, belongs to %I and not to %I', stranger, installer),
            HINT = format('Install as its owner, with --owner %I, or uninstall it first.', stranger);
    END IF;
END
$install$;
@SET_ROLE@
COMMENT ON SCHEMA pgmedic IS 'Made by pgmedic sql install @VERSION@; pgmedic sql uninstall removes it';

-- What was repaired, and who asked for it. It has no key, which would need one more sequence.
CREATE TABLE IF NOT EXISTS pgmedic.repair_log (
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    role       name NOT NULL,                      -- the role that asked for it
    source     text NOT NULL DEFAULT 'inline',     -- inline: this function; agent: the agent
    sequence   text NOT NULL,                      -- with its schema, quoted
    outcome    text NOT NULL DEFAULT 'repaired',   -- or held: it would have used too many values
    from_value bigint,                             -- what nextval would have returned
    to_value   bigint,                             -- what nextval would return afterwards
    charged    bigint,                             -- how many of these values held no id, as far as the agent limits them
    early      boolean                             -- whether ids were passed that no insert would soon have met
);
ALTER TABLE pgmedic.repair_log ADD COLUMN IF NOT EXISTS charged bigint, ADD COLUMN IF NOT EXISTS early boolean;
CREATE INDEX IF NOT EXISTS repair_log_at ON pgmedic.repair_log (at);
REVOKE ALL ON TABLE pgmedic.repair_log FROM PUBLIC;

-- The columns that each sequence feeds, by the catalog. The expression is null where no default draws from the sequence.
CREATE OR REPLACE VIEW pgmedic.sequence_columns AS
SELECT seq, rel, att, bool_or(owned) AS owned, bool_or(identity) AS identity, max(expression) AS expression
FROM (
    SELECT d.objid AS seq, d.refobjid AS rel, d.refobjsubid AS att, true AS owned, d.deptype = 'i' AS identity,
           NULL::text AS expression
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.objid
    WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
  UNION ALL
    SELECT d.refobjid, ad.adrelid, ad.adnum::integer, false, false, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_attrdef ad ON ad.oid = d.objid
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    WHERE d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
      AND d.refobjsubid = 0
  UNION ALL
    SELECT d.refobjid, a.attrelid, a.attnum::integer, false, false, pg_catalog.pg_get_expr(t.typdefaultbin, 0)
    FROM pg_catalog.pg_depend d
    JOIN pg_catalog.pg_type t ON t.oid = d.objid AND t.typtype = 'd'
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = d.refobjid
    JOIN pg_catalog.pg_attribute a ON a.atttypid = t.oid AND NOT a.atthasdef AND NOT a.attisdropped
                                  AND a.attidentity = '' AND a.attnum > 0
    JOIN pg_catalog.pg_class r ON r.oid = a.attrelid AND r.relkind IN ('r', 'p', 'f')
    WHERE d.classid = 'pg_catalog.pg_type'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
) AS links
GROUP BY seq, rel, att;
REVOKE ALL ON TABLE pgmedic.sequence_columns FROM PUBLIC;

-- Relations that belong to a role that is not trusted, or are in such a role's schema: it could replace the relation, or
-- choose the functions that run when it is read.
CREATE OR REPLACE VIEW pgmedic.untrusted_relations AS
SELECT c.oid AS rel, o.rolname AS stranger,
       pg_catalog.format('%I.%I, %s belongs to %I', n.nspname, c.relname, w.what, o.rolname) AS found
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_roles s ON s.oid = n.nspowner
CROSS JOIN LATERAL (
    SELECT c.relowner AS owner, 'which' AS what
  UNION ALL
    SELECT CASE s.rolname WHEN 'pg_database_owner' THEN d.datdba ELSE n.nspowner END, 'whose schema'
    FROM pg_catalog.pg_database d
    WHERE d.datname = pg_catalog.current_database()
) AS w
JOIN pg_catalog.pg_roles o ON o.oid = w.owner
WHERE o.rolname <> current_user AND NOT o.rolsuper;
REVOKE ALL ON TABLE pgmedic.untrusted_relations FROM PUBLIC;

-- Moves the sequences that feed a column past the ids that are there, forward only, by nextval, without a lock on the
-- sequence. Returns the number of values that it used: 0 when no sequence was behind, for instance because another
-- session has repaired it. So insert again in either case, a few times at most.
CREATE OR REPLACE FUNCTION pgmedic.repair("table" regclass, "column" name)
RETURNS bigint
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET row_security = off           -- rows that a policy hides are an error, not a wrong maximum
SET quote_all_identifiers = off  -- this and the next: defaults are compared as they are spelt
SET standard_conforming_strings = on
SET lock_timeout = '100ms'       -- a login waits
AS $pgmedic$
DECLARE
    advance_limit CONSTANT numeric := 100000;  -- values; about 30 ms
    max_ratio CONSTANT numeric := 0.5;         -- of the values left
    max_relations CONSTANT integer := 500;     -- a transaction that locks many more fills the server's lock table
    -- The role whose privileges are checked: inside this function current_user is the function's owner.
    caller CONSTANT name := CASE current_setting('role') WHEN 'none' THEN session_user ELSE current_setting('role') END;
    sequence record;
    feed record;
    extremes text[];
    names text[];           -- of the relations that are read
    oids oid[];             -- of the same relations
    members oid[];          -- these relations, and their partitions and children
    untrusted text;
    last_fit numeric;
    next_value numeric;
    max_id numeric;
    gap numeric;
    room numeric;
    taken bigint;
    total bigint := 0;
    found_any boolean := false;
    relations integer := 0;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_attribute a
                   WHERE a.attrelid = $1 AND a.attname = $2 AND a.attnum > 0 AND NOT a.attisdropped) THEN
        RAISE undefined_column USING MESSAGE = format('%s has no column %I', $1, $2);
    END IF;
    -- The caller may insert into the table, or into one that it is a partition of.
    IF NOT EXISTS (
        WITH RECURSIVE up (rel) AS (
            SELECT $1::oid
          UNION
            SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.rel
        )
        SELECT FROM up JOIN pg_class c ON c.oid = up.rel
        WHERE has_schema_privilege(caller, c.relnamespace, 'USAGE') AND has_any_column_privilege(caller, c.oid, 'INSERT')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = format('%I may not insert into %s', caller, $1);
    END IF;

    FOR sequence IN
        WITH RECURSIVE up (rel) AS (
            SELECT $1::oid
          UNION
            SELECT i.inhparent FROM up JOIN pg_inherits i ON i.inhrelid = up.rel
        )
        SELECT q.*, c.relowner, format('%I.%I', n.nspname, c.relname) AS name, bool_or(f.identity) AS identity,
               format('nextval(''%s''::regclass)', replace(q.seqrelid::regclass::text, '''', '''''')) AS call
        FROM up
        JOIN pg_attribute a ON a.attrelid = up.rel AND a.attname = $2
        JOIN pgmedic.sequence_columns f ON f.rel = up.rel AND f.att = a.attnum
        JOIN pg_sequence q ON q.seqrelid = f.seq
        JOIN pg_class c ON c.oid = q.seqrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        GROUP BY q.seqrelid, q.seqtypid, q.seqstart, q.seqincrement, q.seqmax, q.seqmin, q.seqcache, q.seqcycle,
                 c.relowner, n.nspname, c.relname
    LOOP
        found_any := true;
        IF sequence.seqcycle THEN
            RAISE feature_not_supported USING MESSAGE = format('%s cycles: its values come again', sequence.name);
        END IF;
        -- A role that may not use the sequence could not insert with its default. An identity column needs no such privilege.
        IF NOT (sequence.identity OR has_sequence_privilege(caller, sequence.seqrelid, 'USAGE, UPDATE')) THEN
            RAISE insufficient_privilege USING MESSAGE = format('%I may not use %s', caller, sequence.name);
        END IF;

        -- Every column that the sequence feeds, with the query that reads its max id.
        extremes := '{}';
        names := ARRAY[sequence.name];
        oids := ARRAY[sequence.seqrelid];
        members := ARRAY[sequence.seqrelid];
        last_fit := CASE WHEN sequence.seqincrement > 0 THEN sequence.seqmax ELSE sequence.seqmin END;
        FOR feed IN
            WITH RECURSIVE links AS (
                SELECT f.rel, a.attname,
                       b.type, b.modifier, f.owned OR r.relowner = sequence.relowner AS counts,
                       -- Its new ids are values of the sequence, at most cast to the column's type.
                       r.relkind IN ('r', 'p')
                       AND (b.type IN (20, 21, 23) OR b.type = 1700 AND (b.modifier = -1 OR (b.modifier - 4) & 2047 = 0))
                       AND COALESCE(f.expression = sequence.call
                                    OR left(f.expression, length(sequence.call) + 1) = '(' || sequence.call
                                       AND substr(f.expression, length(sequence.call) + 2)
                                           ~ '^\)::(smallint|integer|bigint|numeric(\([0-9]+,0\))?)$',
                                    f.identity OR NOT a.atthasdef) AS supported,
                       format('%I.%I', n.nspname, r.relname) AS name
                FROM pgmedic.sequence_columns f
                JOIN pg_class r ON r.oid = f.rel AND r.relkind <> 'v'
                JOIN pg_namespace n ON n.oid = r.relnamespace
                JOIN pg_attribute a ON a.attrelid = f.rel AND a.attnum = f.att
                CROSS JOIN LATERAL (
                    -- The base type, through domains over domains.
                    WITH RECURSIVE base (type, modifier, depth) AS (
                        SELECT a.atttypid, a.atttypmod, 0
                      UNION ALL
                        SELECT t.typbasetype, CASE WHEN base.modifier >= 0 THEN base.modifier ELSE t.typtypmod END,
                               base.depth + 1
                        FROM base JOIN pg_type t ON t.oid = base.type AND t.typtype = 'd'
                    )
                    SELECT base.type, base.modifier FROM base ORDER BY base.depth DESC LIMIT 1
                ) AS b
                WHERE f.seq = sequence.seqrelid AND r.relpersistence <> 't'
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
            SELECT l.*, s.has_foreign, s.relations, s.members,
                   (SELECT min(w.found) FROM pgmedic.untrusted_relations w WHERE w.rel = ANY (s.members)) AS untrusted,
                   CASE l.type WHEN 21 THEN 32767 WHEN 23 THEN 2147483647 WHEN 20 THEN 9223372036854775807
                        ELSE least(9223372036854775807,
                                   CASE WHEN l.modifier >= 0 THEN power(10::numeric, ((l.modifier - 4) >> 16) & 65535) - 1
                                   ELSE 9223372036854775807 END) END::numeric AS highest
            FROM links l
            JOIN trees s ON s.root = l.rel
            -- A link that a child has in common with its parent is read through the parent, where the parent's counts.
            WHERE NOT EXISTS (SELECT FROM links p JOIN tree t ON t.root = p.rel
                              WHERE t.member = l.rel AND p.rel <> l.rel AND p.attname = l.attname
                                AND (p.counts OR NOT l.counts))
            ORDER BY l.rel
        LOOP
            IF NOT feed.counts THEN
                -- Otherwise a role that may create a table could move another role's sequence.
                IF feed.rel = $1 AND feed.attname = $2 THEN
                    RAISE insufficient_privilege USING
                        MESSAGE = format('the owner of %s does not own %s', feed.name, sequence.name);
                END IF;
                CONTINUE;
            END IF;
            CONTINUE WHEN NOT feed.supported OR feed.has_foreign;
            IF feed.untrusted IS NOT NULL THEN
                RAISE insufficient_privilege USING
                    MESSAGE = format('pgmedic.repair serves tables of %I and of superusers, not %s', current_user,
                                     feed.untrusted),
                    HINT = 'Install it as the owner of the tables and their schemas: pgmedic sql install --owner NAME.';
            END IF;
            names := names || feed.name;
            oids := oids || feed.rel;
            members := members || feed.members;
            relations := relations + feed.relations;
            IF relations > max_relations THEN
                RAISE program_limit_exceeded USING
                    MESSAGE = format('%s feeds too many partitions to read them at once', sequence.name),
                    HINT = 'The agent reads them in turn.';
            END IF;
            last_fit := CASE WHEN sequence.seqincrement > 0 THEN least(last_fit, feed.highest)
                        ELSE greatest(last_fit, -feed.highest - CASE WHEN feed.type = 1700 THEN 0 ELSE 1 END) END;
            extremes := extremes || format(
                '(SELECT %1$s(t.%2$I)::numeric FROM %3$s AS t
                  WHERE t.%2$I BETWEEN (SELECT least(s.next, %4$s)::%5$s FROM s) AND (SELECT greatest(s.next, %6$s)::%5$s FROM s)
                    AND mod(t.%2$I::numeric - (SELECT s.next FROM s), %7$s) = 0)',
                CASE WHEN sequence.seqincrement > 0 THEN 'max' ELSE 'min' END, feed.attname, feed.name,
                CASE WHEN sequence.seqincrement > 0 THEN sequence.seqmax::numeric ELSE sequence.seqmin END,
                CASE WHEN feed.type = 1700 THEN 'numeric' ELSE 'bigint' END,
                CASE WHEN sequence.seqincrement > 0 THEN sequence.seqmax::numeric ELSE sequence.seqmin END,
                sequence.seqincrement);
        END LOOP;
        IF cardinality(extremes) = 0 THEN
            RAISE feature_not_supported USING
                MESSAGE = format('%s feeds no column whose ids are its own values', sequence.name);
        END IF;

        -- The checks above are by OID, and the reads are by name. So all relations are locked, and the names are compared with
        -- the OIDs again: the name of a locked relation cannot change. (LOCK accepts no sequence; this function locks it.)
        PERFORM pg_sequence_last_value(sequence.seqrelid::regclass);
        EXECUTE format('LOCK TABLE %s IN ACCESS SHARE MODE', array_to_string(names[2:], ', '));
        IF EXISTS (SELECT FROM unnest(names, oids) AS n (name, rel) WHERE to_regclass(n.name) IS DISTINCT FROM n.rel) THEN
            RAISE object_not_in_prerequisite_state USING
                MESSAGE = format('another session is changing %s or a table that it feeds', sequence.name);
        END IF;
        SELECT min(w.found) INTO untrusted FROM pgmedic.untrusted_relations w WHERE w.rel = ANY (members);
        IF untrusted IS NOT NULL THEN
            RAISE insufficient_privilege USING
                MESSAGE = format('pgmedic.repair serves sequences of %I and of superusers, not %s', current_user, untrusted),
                HINT = 'Install it as the owner of the sequence and its schema: pgmedic sql install --owner NAME.';
        END IF;

        -- One statement, one snapshot, taken before the sequence is read: a healthy insert never looks like drift.
        EXECUTE format(
            'WITH s AS MATERIALIZED (
                 SELECT s.last_value::numeric + CASE WHEN s.is_called THEN %1$s ELSE 0 END AS next FROM %2$s AS s)
             SELECT s.next, CASE WHEN s.next BETWEEN %3$s AND %4$s THEN %5$s(%6$s) END FROM s',
            sequence.seqincrement, sequence.name, sequence.seqmin, sequence.seqmax,
            CASE WHEN sequence.seqincrement > 0 THEN 'greatest' ELSE 'least' END, array_to_string(extremes, ', '))
        INTO next_value, max_id;

        gap := COALESCE(div(max_id - next_value, sequence.seqincrement) + 1, 0);
        IF gap > 0 THEN
            room := div(last_fit - next_value, sequence.seqincrement) + 1;
            IF gap > advance_limit OR gap >= room OR gap > room * max_ratio THEN
                RAISE WARNING '% is % values behind, too many to be handed out on a login: run pgmedic --once',
                    sequence.name, gap;
                -- Every login meets this, so it is logged once a minute.
                INSERT INTO pgmedic.repair_log (role, sequence, outcome, from_value)
                SELECT caller, sequence.name, 'held', next_value
                WHERE NOT EXISTS (SELECT FROM pgmedic.repair_log e
                                  WHERE e.at > clock_timestamp() - interval '1 minute' AND e.sequence = sequence.name
                                    AND e.outcome = 'held');
                CONTINUE;
            END IF;
        ELSIF sequence.seqcache = 1 THEN
            CONTINUE;
        ELSE
            -- This session has cached values before the next value. Only it can hand them out.
            max_id := next_value - sequence.seqincrement;
        END IF;
        -- OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at the first value far enough.
        SELECT h.value INTO taken
        FROM (SELECT nextval(q.seqrelid::regclass) AS value
              FROM pg_sequence q,
                   generate_series(1, greatest(gap, 1)::bigint + least(sequence.seqcache - 1, 1000000))
              WHERE q.seqrelid = sequence.seqrelid AND q.seqincrement = sequence.seqincrement AND NOT q.seqcycle
              OFFSET 0) AS h
        WHERE (h.value - max_id) * sign(sequence.seqincrement::numeric) >= 0
        LIMIT 1;
        IF gap > 0 THEN
            total := total + gap::bigint;
            INSERT INTO pgmedic.repair_log (role, sequence, from_value, to_value)
            VALUES (caller, sequence.name, next_value, taken + sequence.seqincrement);
            PERFORM pg_notify('pgmedic', sequence.name);
        END IF;
    END LOOP;
    IF NOT found_any THEN
        RAISE object_not_in_prerequisite_state USING MESSAGE = format('no sequence feeds %s.%I', $1, $2);
    END IF;
    RETURN total;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.repair(regclass, name) FROM PUBLIC;
@GRANTS@
-- Warns of the owners whose tables the function will refuse.
DO $install$
DECLARE
    owners text;
BEGIN
    WITH RECURSIVE read (rel) AS (
        SELECT r.oid FROM pgmedic.sequence_columns f JOIN pg_class r ON r.oid IN (f.rel, f.seq) AND r.relkind IN ('r', 'p', 'S')
      UNION
        SELECT i.inhrelid FROM read JOIN pg_inherits i ON i.inhparent = read.rel
    )
    SELECT string_agg(DISTINCT quote_ident(w.stranger), ', ') INTO owners
    FROM read JOIN pgmedic.untrusted_relations w ON w.rel = read.rel;
    IF owners IS NOT NULL THEN
        RAISE WARNING 'pgmedic.repair will refuse what is in tables or schemas of %: they belong neither to % nor to a superuser',
            owners, quote_ident(current_user)
            USING HINT = 'To serve them instead, uninstall, and install with --owner NAME.';
    END IF;
END
$install$;
COMMIT;
