-- Calls nextval of sequence @OID@ up to @CALLS@ times. Answers with the first value that is at or beyond @LAST@, where one is.
-- OFFSET 0 keeps the calls in the inner query, so that LIMIT stops them at that value.
-- @REACHED@: >= for an ascending sequence, <= for a descending one.
SELECT taken FROM (
    SELECT nextval('@OID@'::regclass) AS taken
    FROM pg_catalog.pg_sequence q, generate_series(1, @CALLS@)
    WHERE q.seqrelid = '@OID@'::oid AND q.seqincrement = '@INCREMENT@'::bigint AND NOT q.seqcycle
    OFFSET 0) AS handed_out
WHERE taken @REACHED@ '@LAST@'::bigint LIMIT 1
