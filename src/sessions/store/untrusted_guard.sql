-- Whether it is plain that `untrusted_code.sql` has no row. It is planned and run more quickly than that one, and may say false
-- where that one has none.
@OWNERS@
SELECT NOT EXISTS (
    SELECT
    FROM owners w
    CROSS JOIN me m
    CROSS JOIN store s
    JOIN pg_roles o ON o.oid = w.owner
    WHERE NOT o.rolsuper AND o.oid <> m.oid
      AND (m.rolsuper OR m.is_member OR m.has_more OR EXISTS (SELECT FROM owned)
           OR NOT w.is_store AND w.found = 'belongs to' AND o.oid <> s.relowner)
) AS is_plain
