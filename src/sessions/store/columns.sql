-- The columns of the table of a session store.
SELECT a.attname::text AS raw_name,
       quote_ident(a.attname) AS name,
       base.oid::bigint AS type_oid,
       format_type(a.atttypid, -1) AS type_name,
       a.attgenerated <> '' AS is_generated,
       a.attnotnull AS is_required,
       -- The equality of an extension's type, such as citext, is not found without its schema.
       coalesce((SELECT format('OPERATOR(%I.%s)', e.nspname, o.oprname)
                 FROM pg_opclass oc
                 JOIN pg_am m ON m.oid = oc.opcmethod AND m.amname = 'btree'
                 JOIN pg_amop ao ON ao.amopfamily = oc.opcfamily AND ao.amopstrategy = 3
                                AND ao.amoplefttype = oc.opcintype AND ao.amoprighttype = oc.opcintype
                 JOIN pg_operator o ON o.oid = ao.amopopr
                 JOIN pg_namespace e ON e.oid = o.oprnamespace
                 WHERE oc.opcdefault AND oc.opcintype = base.oid
                   AND e.nspname <> 'pg_catalog'), '=') AS equals,
       pg_get_expr(d.adbin, d.adrelid) AS default_expression,
       has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS may_read,
       has_column_privilege(a.attrelid, a.attnum, 'UPDATE') AS may_set,
       -- Where sessions are revoked, an index on those that are not yet is the best there is.
       EXISTS (SELECT FROM pg_index i
               JOIN pg_class x ON x.oid = i.indexrelid
               JOIN pg_am m ON m.oid = x.relam
               WHERE i.indrelid = a.attrelid AND i.indisvalid AND m.amname = 'btree'
                 AND i.indkey[0] = a.attnum AND (@PARTIAL@ OR i.indpred IS NULL)) AS is_indexed
FROM pg_namespace n
JOIN pg_class c ON c.relnamespace = n.oid
JOIN pg_attribute a ON a.attrelid = c.oid
JOIN pg_type t ON t.oid = a.atttypid
-- A domain may be over a domain.
CROSS JOIN LATERAL (
    WITH RECURSIVE chain (oid, base) AS (
        SELECT t.oid, t.typbasetype
      UNION ALL
        SELECT y.oid, y.typbasetype FROM chain b JOIN pg_type y ON y.oid = b.base
    )
    SELECT b.oid FROM chain b WHERE b.base = 0
) AS base
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE n.nspname = @SCHEMA@ AND c.relname = @TABLE@ AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
