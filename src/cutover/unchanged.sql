-- Divides by zero when the name stands for another sequence than the one that was discovered, or its owner or cache was
-- changed since.
SELECT 1 / (pg_catalog.to_regclass(@NAME@) IS NOT DISTINCT FROM @OID@::oid
            AND pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(c.relowner)) = @OWNER@::text
            AND q.seqcache = '@CACHE@'::bigint)::integer
FROM pg_catalog.pg_sequence q
JOIN pg_catalog.pg_class c ON c.oid = q.seqrelid
WHERE q.seqrelid = @OID@::oid
