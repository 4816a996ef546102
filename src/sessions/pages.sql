-- How many pages the largest of a store's tables has; none where the server cannot read a range of them alone.
SELECT CASE WHEN current_setting('server_version_num')::integer >= 140000
            THEN max(pg_relation_size(o.oid) / current_setting('block_size')::integer) END AS pages
FROM unnest(@OIDS@) AS o (oid)
