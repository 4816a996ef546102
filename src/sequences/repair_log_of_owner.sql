-- Whether entry e is about a sequence of role @OWNER@.
EXISTS (SELECT FROM pg_class s JOIN pg_namespace n ON n.oid = s.relnamespace
        WHERE s.relkind = 'S' AND s.relowner = @OWNER@::oid AND format('%I.%I', n.nspname, s.relname) = e.sequence)
