-- Reads the state of a sequence and moves it forward to @LAST@. Divides by zero, which rolls everything back, when the sequence
-- is no longer the one that was discovered. setval cannot be rolled back: it is reached only where the state is that sequence's
-- own.
-- @NAME@: the sequence, quoted. @BEFORE@: <= for an ascending sequence, >= for a descending one.
SELECT CASE WHEN s.tableoid = @OID@::oid
             AND s.last_value::numeric + CASE WHEN s.is_called THEN '@INCREMENT@'::numeric ELSE 0 END
                 @BEFORE@ '@LAST@'::numeric
            THEN pg_catalog.setval('@OID@'::regclass, '@LAST@'::bigint, true) END,
       1 / (q.seqincrement = '@INCREMENT@'::bigint AND NOT q.seqcycle AND s.tableoid = @OID@::oid)::integer
FROM @NAME@ AS s
JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid
