/* pgmedic:session-table */
-- The columns of table $1.$2, their types, and the indexes that the session store needs or that would fail it.
-- $3: whether the store deletes the older rows.
SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS table_quoted,
       a.attname::text AS name, pg_catalog.quote_ident(a.attname) AS quoted,
       pg_catalog.format_type(a.atttypid, NULL) AS type,
       EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid
               AND x.indpred IS NULL AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum) AS is_unique,
       EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisvalid
               AND x.indkey[0] = a.attnum) AS leads,
       (SELECT min(pg_catalog.quote_ident(i.relname)) FROM pg_catalog.pg_index x
        JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
        WHERE x.indrelid = c.oid AND x.indisunique AND x.indpred IS NULL AND x.indnkeyatts = 1
          AND x.indkey[0] = a.attnum
          -- A constraint that is deferred to COMMIT is checked when the older row is gone.
          AND NOT ($3 AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                  WHERE k.conindid = i.oid AND k.conrelid = c.oid AND k.condeferred))) AS unique_alone
FROM pg_catalog.pg_namespace n
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE n.nspname = $1 AND c.relname = $2
