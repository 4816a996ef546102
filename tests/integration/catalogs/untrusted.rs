//! A role that may create tables gains nothing by a pass: no other owner's sequence moves, and a function that the role
//! attaches to its table while the pass waits for that table runs with no other privileges and changes no other result.

use crate::support::{Database, LONG_TIMEOUTS, Outcome, Running, wait_until_blocked_on};
use serde_json::json;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Connection};

/// Creates the stranger's `m.t`, and the victim's `public.orders`, which is read after it: each with ids up to 7 and a
/// sequence that is in sync.
async fn besieged() -> (Database, String) {
    let mut database = Database::new().await;
    let [stranger, victim, medic] = ["stranger", "victim", "medic"].map(|name| database.role(name));
    let spies = database.spies("m");
    database
        .sql(&format!(
            "CREATE ROLE {stranger} LOGIN; CREATE ROLE {victim} LOGIN; CREATE ROLE {medic} LOGIN;
             GRANT CREATE ON SCHEMA public TO {victim}; CREATE SCHEMA m AUTHORIZATION {stranger};
             SET ROLE {stranger}; {spies} GRANT USAGE ON SCHEMA m TO PUBLIC;
             CREATE TABLE m.t (id serial PRIMARY KEY); INSERT INTO m.t SELECT generate_series(1, 7);
             SELECT setval('m.t_id_seq', 7); GRANT SELECT ON m.t TO {medic}; GRANT SELECT, USAGE ON m.t_id_seq TO {medic};
             RESET ROLE; SET ROLE {victim};
             CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 7);
             SELECT setval('orders_id_seq', 7); GRANT SELECT ON orders TO {medic};
             GRANT SELECT, USAGE ON orders_id_seq TO {medic}; RESET ROLE"
        ))
        .await;
    (database, stranger)
}

/// Runs a pass as `role` that waits for the stranger's locked table until the stranger has applied `trap` to it.
async fn ambushed(database: &mut Database, role: &str, trap: &str) -> Outcome {
    let url = database.url_as(&database.role("stranger"));
    let mut stranger = PgConnection::connect(&url).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE m.t IN ACCESS EXCLUSIVE MODE").execute(&mut stranger).await.unwrap();
    let running = Running::once_with_as(database, role, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "m.t").await;
    let trap = format!("{trap}; COMMIT");
    sqlx::raw_sql(AssertSqlSafe(trap)).execute(&mut stranger).await.unwrap();
    running.outcome().await
}

/// Objects that run code when a read is planned or executed. (Statistics on expressions exist since version 14.)
const TRAPS: [&str; 4] = [
    "CREATE INDEX ON m.t (m.spy(0))",
    "DO 'BEGIN EXECUTE CASE WHEN current_setting(''server_version_num'')::integer >= 140000
         THEN ''CREATE STATISTICS m.s ON m.spy(0), id FROM m.t'' ELSE ''CREATE INDEX ON m.t (m.spy(0))'' END; END'",
    "ALTER TABLE m.t RENAME TO old; CREATE VIEW m.t AS SELECT m.tell() AS id; GRANT SELECT ON m.t TO PUBLIC",
    "ALTER SEQUENCE m.t_id_seq RENAME TO old; GRANT SELECT ON ALL TABLES IN SCHEMA m TO PUBLIC;
     CREATE VIEW m.t_id_seq AS SELECT m.tell()::bigint AS last_value, true AS is_called, 'm.old'::regclass::oid AS tableoid;
     GRANT SELECT ON m.t_id_seq TO PUBLIC",
];

#[tokio::test]
async fn a_superuser_runs_nothing_that_was_hung_on_a_table_while_it_waited_for_it() {
    for trap in TRAPS {
        let (mut database, stranger) = besieged().await;
        let before = database.spied();
        let outcome = ambushed(&mut database, "postgres", trap).await;
        outcome.shows("public.orders_id_seq", json!({ "verdict": "in_sync" }));
        assert_eq!(outcome.sequence("m.t_id_seq")["verdict"], "unreadable", "{trap}: {}", outcome.stdout);
        assert!(before.iter().chain(&database.spied()).all(|role| *role == stranger), "{trap}: {:?}", database.spied());
    }
}

/// Servers that can be told to read no view (13.16, 14.13, 15.8, 16.4 and newer) read none for any role.
#[tokio::test]
async fn a_view_that_was_put_in_a_tables_place_is_not_read() {
    let (mut database, _) = besieged().await;
    let medic = database.role("medic");
    let outcome = ambushed(&mut database, &medic, TRAPS[2]).await;
    let can = "SELECT (current_setting('restrict_nonsystem_relation_kind', true) IS NOT NULL)::integer::bigint";
    if database.number(can).await == 1 {
        assert_eq!(outcome.sequence("m.t_id_seq")["verdict"], "unreadable", "{}", outcome.stdout);
        assert!(!database.spied().contains(&medic), "{:?}", database.spied());
    }
    outcome.shows("public.orders_id_seq", json!({ "verdict": "in_sync" }));
}

/// Functions that run at planning: they change the search path, in which `max` is the stranger's, and disable row
/// security.
const BEND: &str = "
    CREATE FUNCTION m.set() RETURNS integer VOLATILE LANGUAGE plpgsql AS $$ BEGIN
        PERFORM set_config('search_path', 'm, pg_catalog', false), set_config('row_security', 'on', false);
        RETURN 1; END $$;
    CREATE FUNCTION m.bend(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN RETURN m.set(); END $$;
    CREATE FUNCTION m.high(integer, integer) RETURNS integer IMMUTABLE LANGUAGE sql AS 'SELECT 5000';
    CREATE AGGREGATE m.max(integer) (SFUNC = m.high, STYPE = integer, INITCOND = '5000');
    CREATE INDEX ON m.t (m.bend(0))";

#[tokio::test]
async fn a_stranger_bends_no_other_owners_numbers() {
    let (mut database, _) = besieged().await;
    let medic = database.role("medic");
    let outcome = ambushed(&mut database, &medic, BEND).await;
    outcome.shows("public.orders_id_seq", json!({ "verdict": "in_sync", "max_id": 7 }));
    assert_eq!(database.nextval("orders_id_seq").await, 8);
    // Code that exists before the pass changes no result either.
    let outcome = database.once_as(&medic, &[]);
    outcome.shows("public.orders_id_seq", json!({ "verdict": "in_sync", "max_id": 7 }));
    assert_eq!(database.nextval("orders_id_seq").await, 9);
}

/// A leap writes, so code that runs in its transaction could write too.
#[tokio::test]
async fn a_leap_runs_nothing_that_was_hung_on_a_table_while_it_waited() {
    for role in ["medic", "postgres"] {
        let (mut database, stranger) = besieged().await;
        let medic = database.role("medic");
        database
            .sql(&format!("GRANT {stranger} TO {medic}; ALTER SEQUENCE m.t_id_seq CACHE 3; INSERT INTO m.t VALUES (8)"))
            .await;
        let mut other = database.connect().await;
        sqlx::raw_sql("BEGIN; SELECT setval('m.t_id_seq', 7)").execute(&mut other).await.unwrap();
        let role = if role == "medic" { medic } else { role.to_owned() };
        let running = Running::once_with_as(&database, &role, LONG_TIMEOUTS, &[]);
        wait_until_blocked_on(&mut database.connection, "m.t_id_seq").await;
        database.sql(&format!("SET ROLE {stranger}; CREATE INDEX ON m.t (m.spy(0)); RESET ROLE")).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
        let outcome = running.outcome().await;
        outcome.repair("m.t_id_seq", json!({ "method": "leap" }));
        assert_eq!(database.number("SELECT last_value FROM m.t_id_seq").await, 8, "it reads no table");
        // Looking again is a read, which a superuser refuses.
        assert!(role != "postgres" || !database.spied().contains(&role), "{:?}", database.spied());
    }
}

/// Both have a sequence of the same name, so the name alone does not tell which one is moved.
#[tokio::test]
async fn no_schema_takes_the_place_of_another_while_a_superuser_leaps() {
    let (mut database, stranger) = besieged().await;
    database
        .sql(&format!(
            "GRANT CREATE ON DATABASE {} TO {stranger}; SET ROLE {stranger}; CREATE SCHEMA n;
             CREATE SEQUENCE n.t_id_seq; RESET ROLE; ALTER SEQUENCE m.t_id_seq CACHE 3; INSERT INTO m.t VALUES (8)",
            database.name
        ))
        .await;
    let mut other = database.connect().await;
    sqlx::raw_sql("BEGIN; SELECT setval('m.t_id_seq', 7)").execute(&mut other).await.unwrap();
    let running = Running::once_with(&database, LONG_TIMEOUTS, &[]);
    wait_until_blocked_on(&mut database.connection, "m.t_id_seq").await;
    let swap = format!(
        "SET ROLE {stranger}; SET statement_timeout = '1s'; ALTER SCHEMA m RENAME TO o; ALTER SCHEMA n RENAME TO m"
    );
    let mut thief = database.connect().await;
    let swapped = sqlx::raw_sql(AssertSqlSafe(swap)).execute(&mut thief).await;
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    let outcome = running.outcome().await;
    outcome.repair("m.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 9 }));
    assert!(swapped.is_err(), "it waited until the leap had ended");
}
