-- The columns of `feed_row.rs` that both catalog queries compute in the same way, for these aliases: q the pg_sequence row
-- and s the pg_class row of the sequence, n its schema; l the link, with deptype and expression; r the table, rn its
-- schema, a the column, b the base type of a domain; t the partitions and children.
    -- the sequence
    s.oid::bigint AS seq_oid,
    quote_ident(n.nspname) AS seq_schema_quoted,
    quote_ident(n.nspname) || '.' || quote_ident(s.relname) AS seq_quoted,
    q.seqincrement, q.seqmin, q.seqmax, q.seqstart, q.seqcache, q.seqcycle,
    quote_ident(pg_catalog.pg_get_userbyid(s.relowner)) AS seq_owner,
    coalesce((SELECT u.rolsuper FROM pg_catalog.pg_roles u WHERE u.oid = s.relowner), true) AS seq_owner_is_superuser,
    pg_catalog.pg_has_role(s.relowner, 'USAGE') AS may_alter,
    -- A member that does not inherit the owner's privileges: by the membership (version 16 and newer), or else by the role.
    CASE WHEN NOT pg_catalog.pg_has_role(s.relowner, 'USAGE') AND pg_catalog.pg_has_role(s.relowner, 'MEMBER')
         THEN pg_catalog.current_setting('server_version_num')::integer >= 160000 END AS not_inherited,
    pg_catalog.has_sequence_privilege(s.oid, 'USAGE, UPDATE') AS may_advance,
    pg_catalog.has_sequence_privilege(s.oid, 'UPDATE') AS may_set,
    pg_catalog.has_table_privilege(s.oid, 'SELECT') AS may_read_seq,
    pg_catalog.has_schema_privilege(n.oid, 'USAGE') AS may_enter_seq_schema,
    -- the link
    l.deptype::text AS dependency,
    l.expression,
    -- These two are looked up only for an owned sequence that its column's default, if there is one, does not name.
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL AND a.atthasdef THEN (
        SELECT ad.adbin::text FROM pg_catalog.pg_attrdef ad WHERE ad.adrelid = l.rel AND ad.adnum = l.att)
    END AS other_default,
    -- A text without a schema means this sequence or another one, by the session's search_path.
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL AND a.atthasdef THEN EXISTS (
        SELECT FROM pg_catalog.pg_class o WHERE o.relname = s.relname AND o.relkind = 'S' AND o.oid <> s.oid)
    ELSE false END AS has_namesake,
    -- What PostgreSQL knows to use it, such as a view, a function or another table's default.
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL THEN (
        SELECT pg_catalog.min(
@OBJECT_NAME@
        )
        FROM pg_catalog.pg_depend o
        WHERE o.refclassid = 'pg_catalog.pg_class'::regclass AND o.refobjid = s.oid AND o.deptype = 'n')
    END AS used_by,
    CASE WHEN l.deptype = 'a' AND l.expression IS NULL THEN (
        SELECT pg_catalog.min(quote_ident(on_.nspname) || '.' || quote_ident(o.relname))
        FROM (
            -- the column's identity
            SELECT d.objid AS seq
            FROM pg_catalog.pg_depend d
            WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = l.rel AND d.refobjsubid = l.att
              AND d.classid = 'pg_catalog.pg_class'::regclass AND d.deptype = 'i'
          UNION ALL
            -- the sequences that its default names
            SELECT d.refobjid
            FROM pg_catalog.pg_attrdef ad
            JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
            WHERE ad.adrelid = l.rel AND ad.adnum = l.att AND d.refclassid = 'pg_catalog.pg_class'::regclass
        ) AS drawn
        JOIN pg_catalog.pg_sequence oq ON oq.seqrelid = drawn.seq
        JOIN pg_catalog.pg_class o ON o.oid = oq.seqrelid
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.relnamespace)
    END AS other_sequence,
    -- the fed column
    r.oid::bigint AS rel_oid,
    quote_ident(rn.nspname) AS rel_schema_quoted,
    quote_ident(rn.nspname) || '.' || quote_ident(r.relname) AS rel_quoted,
    quote_ident(a.attname) AS att_quoted,
    r.relkind::text AS rel_kind,
    -- Null where the sequence has just been dropped.
    coalesce(@TRUSTED_OWNER@, true) AS trusted_owner,
    quote_ident(pg_catalog.pg_get_userbyid(r.relowner)) AS rel_owner,
    COALESCE(b.base, a.atttypid)::bigint AS type_oid,
    CASE WHEN b.modifier >= 0 THEN b.modifier ELSE a.atttypmod END AS type_modifier,
    CASE WHEN COALESCE(b.base, a.atttypid) NOT IN (20, 21, 23)
         THEN pg_catalog.format_type(a.atttypid, a.atttypmod) END AS type_name,
    -- Why PostgreSQL does not change its type in place, by its own nature. In a bigint, a column of a domain would lose the
    -- domain's default and checks.
    CASE WHEN a.atttypid <> COALESCE(b.base, a.atttypid)
         THEN 'it is of the domain ' || pg_catalog.format_type(a.atttypid, NULL)
         WHEN a.attinhcount > 0 THEN 'it is inherited' END AS fixed_type,
    pg_catalog.has_schema_privilege(rn.oid, 'USAGE') AS may_enter_rel_schema,
    -- The privilege on the whole table implies each column's, and is quicker to look up.
    pg_catalog.has_table_privilege(r.oid, 'SELECT')
        OR pg_catalog.has_column_privilege(r.oid, a.attnum, 'SELECT') AS may_read_column,
    pg_catalog.row_security_active(r.oid) AS hides_rows,
    t.root IS NOT NULL AS has_children,
    COALESCE(t.has_foreign, false) AS has_foreign
