-- Divides by zero when the name stands for another sequence than the one that was discovered, or its owner, cache or
-- increment was changed since. A function reads the parameters, because a join takes longer to plan.
SELECT 1 / (to_regclass(@NAME@) IS NOT DISTINCT FROM '@OID@'::regclass
            AND c.relowner = to_regrole(@OWNER@)::oid
            AND (pg_sequence_parameters('@OID@'::oid)).cache_size = '@CACHE@'::bigint
            AND (pg_sequence_parameters('@OID@'::oid)).increment = '@INCREMENT@'::bigint)::integer
FROM pg_catalog.pg_class c
WHERE c.oid = '@OID@'::oid
