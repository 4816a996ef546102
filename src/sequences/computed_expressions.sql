-- What defaults make of a value `v.id`, as SQL, in the order of the question; NULL where the default is another one by now.
-- $1 the tables' OIDs, $2 the columns, quoted; $3 the sequences' OIDs, $4 the stored forms of the defaults; $5 is empty.
SELECT (
    SELECT pg_catalog.replace(e.expression, e.call, 'v.id')
    FROM (SELECT pg_catalog.pg_get_expr(ad.adbin, ad.adrelid) AS expression,
                 pg_catalog.format('nextval(''%s''::regclass)',
                     pg_catalog.replace(a.sequence::oid::regclass::text, '''', '''''')) AS call
          FROM pg_catalog.pg_attribute c
          JOIN pg_catalog.pg_attrdef ad ON ad.adrelid = c.attrelid AND ad.adnum = c.attnum
          WHERE c.attrelid = a.rel::oid AND pg_catalog.quote_ident(c.attname) = a.att AND ad.adbin::text = a.tree) AS e
    WHERE pg_catalog.strpos(e.expression, e.call) > 0
) AS expression
FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS a (rel, att, sequence, tree, unused, nth)
ORDER BY a.nth
