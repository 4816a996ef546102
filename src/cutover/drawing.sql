-- Whether a default, of the column or of its domain, or an identity fills each of these columns: one row for each that
-- exists, by its place in the question.
-- $1 to $3: schemas, tables and columns; $4 and $5 are empty.
SELECT a.nth::bigint AS nth, c.atthasdef OR c.attidentity <> '' OR t.typdefaultbin IS NOT NULL AS draws
FROM unnest($1, $2, $3, $4, $5) WITH ORDINALITY AS a (schema, rel, att, d, e, nth)
JOIN pg_catalog.pg_namespace n ON n.nspname = a.schema
JOIN pg_catalog.pg_class r ON r.relnamespace = n.oid AND r.relname = a.rel
JOIN pg_catalog.pg_attribute c ON c.attrelid = r.oid AND c.attname = a.att AND c.attnum > 0 AND NOT c.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = c.atttypid
ORDER BY a.nth
