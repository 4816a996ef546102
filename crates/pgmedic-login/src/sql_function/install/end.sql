@GRANTS@
-- Warns of the owners whose tables the function will refuse.
DO $install$
DECLARE
    owners text;
BEGIN
    WITH RECURSIVE read (rel) AS (
        SELECT r.oid FROM pgmedic.sequence_columns f JOIN pg_class r ON r.oid IN (f.rel, f.seq) AND r.relkind IN ('r', 'p', 'S')
      UNION
        SELECT i.inhrelid FROM read JOIN pg_inherits i ON i.inhparent = read.rel
    )
    SELECT string_agg(DISTINCT quote_ident(w.stranger), ', ') INTO owners
    FROM read JOIN pgmedic.untrusted_relations w ON w.rel = read.rel;
    IF owners IS NOT NULL THEN
        RAISE WARNING 'pgmedic.repair will refuse what is in tables or schemas of %: they belong neither to % nor to a superuser',
            owners, quote_ident(current_user)
            USING HINT = 'To serve them instead, uninstall, and install with --owner NAME.';
    END IF;
END
$install$;
COMMIT;
