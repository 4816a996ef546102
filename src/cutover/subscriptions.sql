-- The subscriptions of this database: whether each is enabled, whether its worker runs, and how many tables it has not
-- copied yet, with the names of three.
SELECT s.subname::text AS name, s.subenabled AS enabled, s.subslotname::text AS slot,
       EXISTS (SELECT FROM pg_catalog.pg_stat_subscription w
               WHERE w.subid = s.oid AND w.relid IS NULL AND w.pid IS NOT NULL) AS working,
       t.number AS unready, t.names AS unready_tables, s.subpublications::text[] AS publications,
       -- Which names need quotes depends on the version, so all have them.
       ARRAY(SELECT format('"%s"."%s"', replace(n.nspname, '"', '""'), replace(c.relname, '"', '""'))
             FROM pg_catalog.pg_subscription_rel r
             JOIN pg_catalog.pg_class c ON c.oid = r.srrelid
             JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
             WHERE r.srsubid = s.oid) AS tables
FROM pg_catalog.pg_subscription s
CROSS JOIN LATERAL (
    SELECT count(*) AS number,
           array_to_string((array_agg(r.srrelid::regclass::text ORDER BY r.srrelid::regclass::text))[1:3], ', ') AS names
    FROM pg_catalog.pg_subscription_rel r
    WHERE r.srsubid = s.oid AND r.srsubstate <> 'r'
) AS t
WHERE s.subdbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
ORDER BY 1
