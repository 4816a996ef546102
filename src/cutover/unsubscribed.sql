-- Tables that publications of this database have and a subscription lacks: how many, and the names of three.
-- @PUBLICATIONS@ and @TABLES@: arrays of text, the subscription's publications, and its tables, quoted.
SELECT count(*) AS number, array_to_string((array_agg(p.name ORDER BY p.name))[1:3], ', ') AS names
FROM (SELECT DISTINCT quote_ident(t.schemaname) || '.' || quote_ident(t.tablename) AS name
      FROM pg_catalog.pg_publication_tables t
      WHERE t.pubname::text = ANY (@PUBLICATIONS@::text[])) AS p
WHERE p.name <> ALL (@TABLES@::text[])
