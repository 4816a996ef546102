-- Whether the extension pglogical is here, in its schema.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_extension e
    JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
    WHERE e.extname = 'pglogical' AND n.nspname = 'pglogical') AS installed
