-- Runs while the transaction holds the sequence's lock. It moves the sequence so that @LAST@ is the last value that was
-- handed out, and does nothing where the next value is beyond @LAST@ already. It divides by zero, which rolls everything
-- back, when this is another sequence than the one that was discovered, or its increment was changed.
WITH seen AS MATERIALIZED (
    SELECT s.last_value::numeric + CASE WHEN s.is_called THEN '@INCREMENT@'::numeric ELSE 0 END AS next,
           1 / (s.tableoid = @OID@::oid AND q.seqincrement = '@INCREMENT@'::bigint)::integer AS unchanged
    FROM @NAME@ AS s
    JOIN pg_catalog.pg_sequence q ON q.seqrelid = s.tableoid
)
SELECT pg_catalog.setval('@OID@'::regclass, '@LAST@'::bigint, true)
FROM seen
WHERE unchanged = 1 AND next @BEFORE@ '@LAST@'::numeric
