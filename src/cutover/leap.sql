-- Runs while the transaction holds the sequence's lock. It moves the sequence so that @LAST@ is the last value that was
-- handed out, and does nothing where the next value is beyond @LAST@ already. It divides by zero, which rolls everything
-- back, when this is another sequence than the one that was discovered.
SELECT setval('@OID@'::regclass, '@LAST@'::bigint, true)
FROM @NAME@ AS s
WHERE 1 / (s.tableoid = '@OID@'::oid)::integer = 1
  AND CASE WHEN s.is_called THEN s.last_value @BEFORE@ '@LAST@'::bigint
           ELSE s.last_value @BEFORE@= '@LAST@'::bigint END
