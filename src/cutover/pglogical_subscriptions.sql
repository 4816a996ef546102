-- The same of pglogical's subscriptions. Whether a worker runs is known by the slot alone. 'y' and 'r': the table is copied.
SELECT s.sub_name::text AS name, s.sub_enabled AS enabled, s.sub_slot_name::text AS slot, NULL::boolean AS working,
       t.number AS unready, t.names AS unready_tables
FROM pglogical.subscription s
CROSS JOIN LATERAL (
    SELECT count(*) AS number,
           array_to_string(
               (array_agg(concat_ws('.', quote_ident(r.sync_nspname), quote_ident(r.sync_relname))
                          ORDER BY r.sync_nspname, r.sync_relname))[1:3], ', ') AS names
    FROM pglogical.local_sync_status r
    WHERE r.sync_subid = s.sub_id AND r.sync_status NOT IN ('y', 'r')
) AS t
ORDER BY 1
