-- What the publications of one subscription leave out: rows of `what`, with a publication where one is to be named.
-- dropped: it does not exist. lacking: the subscription does not have the tables. stale: the subscription has tables that are
-- published no longer. rows, columns: a filter or a list of columns leaves some out. changes: `detail` is not published.
-- What one publication leaves out another one may have. @PUBLICATIONS@ and @TABLES@: arrays of text, the subscription's
-- publications, and its tables, always quoted. Row filters and lists of columns came with version 15: before it they are null.
WITH entries AS MATERIALIZED (
    SELECT p.pubname::text AS publication, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
           format('"%s"."%s"', replace(t.schemaname, '"', '""'), replace(t.tablename, '"', '""')) AS name,
           f.facts ->> 'rowfilter' IS NOT NULL AS filtered,
           coalesce(EXISTS (
               SELECT FROM pg_catalog.pg_namespace n
               JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = t.tablename
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
               WHERE n.nspname = t.schemaname AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
                 AND NOT f.facts -> 'attnames' ? a.attname::text), false) AS narrowed
    FROM pg_catalog.pg_publication p
    JOIN pg_catalog.pg_publication_tables t ON t.pubname = p.pubname
    CROSS JOIN LATERAL (SELECT to_jsonb(t) AS facts OFFSET 0) AS f
    WHERE p.pubname::text = ANY (@PUBLICATIONS@::text[])
),
tables AS (
    SELECT name, min(publication) AS publication, bool_and(filtered) AS filtered, bool_and(narrowed) AS narrowed,
           nullif(concat_ws(', ',
               CASE WHEN NOT bool_or(pubinsert) THEN 'insert' END,
               CASE WHEN NOT bool_or(pubupdate) THEN 'update' END,
               CASE WHEN NOT bool_or(pubdelete) THEN 'delete' END,
               CASE WHEN NOT bool_or(pubtruncate) THEN 'truncate' END), '') AS unpublished
    FROM entries
    GROUP BY name
),
found AS (
    SELECT 'dropped' AS what, p.name AS publication, NULL AS detail, NULL AS name
    FROM unnest(@PUBLICATIONS@::text[]) AS p (name)
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_publication e WHERE e.pubname::text = p.name)
  UNION ALL
    SELECT 'lacking', NULL, NULL, t.name FROM (SELECT name FROM tables EXCEPT SELECT unnest(@TABLES@::text[])) AS t
  UNION ALL
    SELECT 'stale', NULL, NULL, t.name
    FROM (SELECT unnest(@TABLES@::text[]) EXCEPT SELECT name FROM tables) AS t (name)
  UNION ALL
    SELECT 'rows', publication, NULL, name FROM tables WHERE filtered
  UNION ALL
    SELECT 'columns', publication, NULL, name FROM tables WHERE narrowed
  UNION ALL
    SELECT 'changes', publication, unpublished, name FROM tables WHERE unpublished IS NOT NULL
)
SELECT what, publication, detail, count(*) AS number, 
       -- Without the quotes of plain names.
       regexp_replace(array_to_string((array_agg(name ORDER BY name))[1:3], ', '), '"([a-z_][a-z0-9_]*)"', '\1', 'g') AS names
FROM found
GROUP BY what, publication, detail
ORDER BY what, publication, detail
