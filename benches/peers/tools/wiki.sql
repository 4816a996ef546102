-- What "Fixing Sequences" in the PostgreSQL wiki (https://wiki.postgresql.org/wiki/Fixing_Sequences) prints: a statement
-- for each sequence that depends on a column, to be run next.
SELECT format('SELECT setval(%L, coalesce(max(%I), 1)) FROM %I.%I;',
              format('%I.%I', sequence_schema.nspname, sequence.relname),
              id.attname, table_schema.nspname, fed.relname)
FROM pg_depend AS dependency
JOIN pg_class AS sequence ON sequence.oid = dependency.objid AND sequence.relkind = 'S'
JOIN pg_namespace AS sequence_schema ON sequence_schema.oid = sequence.relnamespace
JOIN pg_class AS fed ON fed.oid = dependency.refobjid
JOIN pg_namespace AS table_schema ON table_schema.oid = fed.relnamespace
JOIN pg_attribute AS id ON id.attrelid = fed.oid AND id.attnum = dependency.refobjsubid
ORDER BY sequence_schema.nspname, sequence.relname;
