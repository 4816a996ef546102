-- What ServerInfo holds.
SELECT current_setting('server_version') AS version,
       current_setting('server_version_num') AS version_number,
       quote_ident(current_user) AS role,
       pg_is_in_recovery()::text AS in_recovery,
       current_setting('default_transaction_read_only') AS read_only,
       current_setting('is_superuser') AS superuser,
       -- What pgaudit writes for this role, where it is loaded.
       coalesce(nullif(lower(current_setting('pgaudit.log', true)), ''), 'none') AS audit
