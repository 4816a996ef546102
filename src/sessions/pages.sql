-- How many pages a store's tables have, and the largest of them; none before PostgreSQL 14, which cannot read a range of them alone.
SELECT sum(s.pages)::bigint AS pages, max(s.pages) AS of_largest
FROM unnest(@OIDS@) AS o (oid)
CROSS JOIN LATERAL (SELECT pg_relation_size(o.oid) / current_setting('block_size')::integer AS pages) AS s
WHERE current_setting('server_version_num')::integer >= 140000
