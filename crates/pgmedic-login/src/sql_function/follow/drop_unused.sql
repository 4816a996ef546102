            IF NOT EXISTS (SELECT FROM pg_trigger t WHERE t.tgfoid = unused) THEN
                IF pg_has_role(current_user, (SELECT p.proowner FROM pg_proc p WHERE p.oid = unused), 'USAGE') THEN
                    EXECUTE format('DROP FUNCTION %s', unused);
                ELSE
                    RAISE WARNING 'nothing calls function % any more: its owner, %, may drop it', unused,
                        (SELECT p.proowner::regrole FROM pg_proc p WHERE p.oid = unused);
                END IF;
            END IF;
