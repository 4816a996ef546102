-- What the object (o.classid, o.objid, o.objsubid) is called, as pg_describe_object says it; that one fails where another session
-- has just dropped the object.
coalesce(CASE o.classid
    WHEN 'pg_catalog.pg_rewrite'::regclass THEN (
        SELECT pg_catalog.format('rule %s on %s %I.%I', w.rulename, CASE oc.relkind WHEN 'r' THEN 'table' ELSE 'view' END, os.nspname, oc.relname)
        FROM pg_catalog.pg_rewrite w
        JOIN pg_catalog.pg_class oc ON oc.oid = w.ev_class
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        WHERE w.oid = o.objid)
    WHEN 'pg_catalog.pg_trigger'::regclass THEN (
        SELECT pg_catalog.format('trigger %s on table %I.%I', w.tgname, os.nspname, oc.relname)
        FROM pg_catalog.pg_trigger w
        JOIN pg_catalog.pg_class oc ON oc.oid = w.tgrelid
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        WHERE w.oid = o.objid)
    WHEN 'pg_catalog.pg_policy'::regclass THEN (
        SELECT pg_catalog.format('policy %s on table %I.%I', w.polname, os.nspname, oc.relname)
        FROM pg_catalog.pg_policy w
        JOIN pg_catalog.pg_class oc ON oc.oid = w.polrelid
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        WHERE w.oid = o.objid)
    WHEN 'pg_catalog.pg_proc'::regclass THEN (
        SELECT pg_catalog.format('function %I.%I(%s)', os.nspname, w.proname,
                   (SELECT pg_catalog.string_agg(pg_catalog.format_type(p.type, NULL), ',' ORDER BY p.place)
                    FROM unnest(w.proargtypes) WITH ORDINALITY AS p (type, place)))
        FROM pg_catalog.pg_proc w
        JOIN pg_catalog.pg_namespace os ON os.oid = w.pronamespace
        WHERE w.oid = o.objid)
    WHEN 'pg_catalog.pg_publication_rel'::regclass THEN (
        SELECT pg_catalog.format('publication of table %I.%I in publication %s', os.nspname, oc.relname, w.pubname)
        FROM pg_catalog.pg_publication_rel r
        JOIN pg_catalog.pg_publication w ON w.oid = r.prpubid
        JOIN pg_catalog.pg_class oc ON oc.oid = r.prrelid
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        WHERE r.oid = o.objid)
    WHEN 'pg_catalog.pg_attrdef'::regclass THEN (
        SELECT pg_catalog.format('default value for column %s of table %I.%I', wa.attname, os.nspname, oc.relname)
        FROM pg_catalog.pg_attrdef w
        JOIN pg_catalog.pg_attribute wa ON wa.attrelid = w.adrelid AND wa.attnum = w.adnum
        JOIN pg_catalog.pg_class oc ON oc.oid = w.adrelid
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        WHERE w.oid = o.objid)
    WHEN 'pg_catalog.pg_class'::regclass THEN (
        SELECT CASE WHEN wa.attname IS NOT NULL THEN pg_catalog.format('column %s of ', wa.attname) ELSE '' END
               || pg_catalog.format('%s %I.%I', CASE oc.relkind WHEN 'm' THEN 'materialized view' WHEN 'v' THEN 'view' ELSE 'table' END,
                                    os.nspname, oc.relname)
        FROM pg_catalog.pg_class oc
        JOIN pg_catalog.pg_namespace os ON os.oid = oc.relnamespace
        LEFT JOIN pg_catalog.pg_attribute wa ON wa.attrelid = oc.oid AND wa.attnum = o.objsubid AND o.objsubid > 0
        WHERE oc.oid = o.objid)
END, 'another object')
