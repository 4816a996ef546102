-- Ends the sessions of a batch that failed one by one, each in a subtransaction, and notes those that cannot be ended.
--
-- The text is always the same, so that pg_stat_statements has one entry for it: the statements are settings, which are read
-- before any trigger runs. A session that another transaction has locked, or that has changed, is left to a later batch.
DO $pgmedic$
DECLARE
    find_all CONSTANT text := pg_catalog.current_setting('pgmedic.find_all');
    lock_one CONSTANT text := pg_catalog.current_setting('pgmedic.lock_one');
    end_one CONSTANT text := pg_catalog.current_setting('pgmedic.end_one');
    changed CONSTANT text := pg_catalog.current_setting('pgmedic.changed');
    stop_at CONSTANT timestamptz :=
        clock_timestamp() + pg_catalog.current_setting('pgmedic.longest')::double precision * interval '1 second';
    session record;
    is_there boolean;
    is_ended boolean;
    before numeric;
    after numeric;
    state text;
    object_schema text;
    object_table text;
    object_name text;
    tried bigint := 0;
    is_stopped boolean := false;
    ended bigint := 0;
    last bigint;
    blocked jsonb := '[]';
BEGIN
    FOR session IN EXECUTE find_all LOOP
        BEGIN
            EXECUTE changed INTO before;
            is_there := NULL;
            EXECUTE lock_one INTO is_there USING session.address::tid, session.tableoid::oid;
            IF is_there THEN
                is_ended := NULL;
                EXECUTE end_one INTO is_ended USING session.address::tid, session.tableoid::oid;
                -- A trigger may have deferred what is checked.
                SET CONSTRAINTS ALL IMMEDIATE;
                EXECUTE changed INTO after;
                IF is_ended IS NOT TRUE OR after - before > 1 THEN
                    RAISE EXCEPTION USING ERRCODE = 'PGM01', MESSAGE = 'a trigger kept the session, or changed others';
                END IF;
                ended := ended + 1;
            END IF;
        EXCEPTION WHEN OTHERS OR assert_failure OR query_canceled THEN
            GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, object_schema = SCHEMA_NAME, object_table = TABLE_NAME,
                                    object_name = CONSTRAINT_NAME;
            blocked := blocked || pg_catalog.jsonb_build_object(
                'address', session.address, 'table', session.tableoid, 'at', session.at,
                'failure', pg_catalog.concat_ws(' ', state, object_schema, object_table, object_name));
        END;
        tried := tried + 1;
        last := session.at;
        is_stopped := clock_timestamp() > stop_at;
        EXIT WHEN is_stopped;
    END LOOP;
    PERFORM pg_catalog.set_config(
        'pgmedic.outcome',
        pg_catalog.jsonb_build_object('tried', tried, 'stopped', is_stopped, 'ended', ended, 'last', last, 'blocked', blocked)::text, true);
END
$pgmedic$
