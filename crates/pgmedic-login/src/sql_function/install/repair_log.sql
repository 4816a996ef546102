-- What was repaired, and who asked for it. It has no key, which would need one more sequence.
CREATE TABLE IF NOT EXISTS pgmedic.repair_log (
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    role       name NOT NULL,                      -- the role that asked for it
    source     text NOT NULL DEFAULT 'inline',     -- inline: this function; agent: the agent
    sequence   text NOT NULL,                      -- with its schema, quoted
    outcome    text NOT NULL DEFAULT 'repaired',   -- or held: ids ahead were not passed, or not all; failed
    from_value bigint,                             -- what nextval would have returned
    to_value   bigint,                             -- what nextval would return afterwards
    counted    boolean NOT NULL DEFAULT false,     -- whether the agent's metrics have it
    charged    bigint,                             -- how many of these values held no id, as far as the agent limits them
    early      boolean,                            -- whether ids were passed that no insert would soon have met
    cause      text,                               -- why it had drifted: rewound, ids_inserted, unknown
    evidence   jsonb,                              -- who was behind that, as far as the server told
    sequence_oid oid                               -- of the sequence: another one may have its name by now
);
ALTER TABLE pgmedic.repair_log ADD COLUMN IF NOT EXISTS charged bigint, ADD COLUMN IF NOT EXISTS early boolean,
    ADD COLUMN IF NOT EXISTS cause text, ADD COLUMN IF NOT EXISTS evidence jsonb,
    ADD COLUMN IF NOT EXISTS sequence_oid oid;
-- What an earlier version logged has been counted.
ALTER TABLE pgmedic.repair_log ADD COLUMN IF NOT EXISTS counted boolean NOT NULL DEFAULT true;
ALTER TABLE pgmedic.repair_log ALTER COLUMN counted SET DEFAULT false;
CREATE INDEX IF NOT EXISTS repair_log_at ON pgmedic.repair_log (at);
REVOKE ALL ON TABLE pgmedic.repair_log FROM PUBLIC;

-- Logs what a repair did, and notifies the agent. Where the table cannot be written, the repair and its caller lose the
-- entry, get a warning, and go on.
DROP FUNCTION IF EXISTS pgmedic.log_repair(name, text, text, numeric, numeric);
CREATE OR REPLACE FUNCTION pgmedic.log_repair(
    caller name, sequence text, outcome text, from_value numeric, to_value numeric, charged numeric)
RETURNS void
LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
AS $pgmedic$
BEGIN
    BEGIN
        -- A login does not wait for a lock on the log.
        LOCK TABLE pgmedic.repair_log IN ROW EXCLUSIVE MODE NOWAIT;
        INSERT INTO pgmedic.repair_log (role, sequence, outcome, from_value, to_value, charged, sequence_oid)
        SELECT $1, $2, $3, $4, $5, $6, to_regclass($2)
        -- Every login meets what is held, so it is logged once a minute.
        WHERE $3 <> 'held'
           OR NOT EXISTS (SELECT FROM pgmedic.repair_log e
                          WHERE e.at > statement_timestamp() - interval '1 minute' AND e.sequence = $2 AND e.outcome = 'held');
    EXCEPTION WHEN OTHERS THEN
        RAISE WARNING 'pgmedic.repair_log could not be written: %', SQLERRM;
    END;
    -- A transaction that has notified cannot be prepared, and one that notifies a full queue cannot commit.
    IF COALESCE(current_setting('pgmedic.notify', true), '') NOT IN ('off', 'false', 'no', '0')
       AND pg_notification_queue_usage() < 0.9 THEN
        PERFORM pg_notify('pgmedic', $2);
    END IF;
END
$pgmedic$;
REVOKE ALL ON FUNCTION pgmedic.log_repair(name, text, text, numeric, numeric, numeric) FROM PUBLIC;
