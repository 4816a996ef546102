//! Sessions that have cached values (`CACHE`): they drop these only after a leap.

use crate::support::Database;
use serde_json::json;
use sqlx::Row;
use sqlx::postgres::PgConnection;

const INSERT: &str = "INSERT INTO t DEFAULT VALUES RETURNING id::bigint";

async fn insert(session: &mut PgConnection) -> i64 {
    sqlx::query(INSERT).fetch_one(session).await.expect("no duplicate").get(0)
}

async fn cached_values_are_dropped(create: &str) {
    let mut database = Database::new().await;
    database.sql(create).await;
    // The session caches 1 to 10 and hands out 1. Then rows with explicit ids arrive.
    let mut session = database.connect().await;
    assert_eq!(insert(&mut session).await, 1);
    database.sql("INSERT INTO t (id) OVERRIDING SYSTEM VALUE SELECT generate_series(2, 40)").await;

    let outcome = database.once(&[]).exits(0);
    outcome.shows("public.t_id_seq", json!({ "verdict": "behind", "next_value": 11, "max_id": 40, "lag": 30 }));
    outcome.repair("public.t_id_seq", json!({ "outcome": "repaired", "method": "leap", "next_value": 41 }));
    assert_eq!(insert(&mut session).await, 41);
    assert_eq!(insert(&mut database.connection).await, 51, "the next ten values");
    assert_eq!(database.number("SELECT seqcache FROM pg_sequence").await, 10, "the cache is as it was");
}

#[tokio::test]
async fn another_sessions_cached_values_are_dropped() {
    cached_values_are_dropped("CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq CACHE 10").await;
}

#[tokio::test]
async fn another_sessions_cached_identity_values_are_dropped() {
    cached_values_are_dropped("CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY (CACHE 10) PRIMARY KEY)").await;
}

#[tokio::test]
async fn an_advance_would_not_have_done() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); ALTER SEQUENCE t_id_seq CACHE 10").await;
    let mut session = database.connect().await;
    assert_eq!(insert(&mut session).await, 1);
    database.sql("INSERT INTO t SELECT generate_series(2, 40)").await;
    database.sql("SELECT nextval('t_id_seq') FROM generate_series(1, 40)").await;
    let error = sqlx::query(INSERT).fetch_one(&mut session).await.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("23505"));
}

#[tokio::test]
async fn a_leap_changes_nothing_about_a_sequence_but_its_position() {
    let mut database = Database::new().await;
    let role = database.role("user");
    database
        .sql(&format!(
            "CREATE ROLE {role};
             CREATE TABLE t (id bigint PRIMARY KEY);
             CREATE SEQUENCE s AS bigint INCREMENT 5 MINVALUE -20 MAXVALUE 90000 START 10 CACHE 7 OWNED BY t.id;
             ALTER TABLE t ALTER id SET DEFAULT nextval('s');
             GRANT USAGE ON s TO {role}; COMMENT ON SEQUENCE s IS 'ours';
             INSERT INTO t VALUES (500)"
        ))
        .await;
    let everything = "SELECT row(q.*, c.relacl, c.relowner, c.relpersistence, obj_description(c.oid),
                                 pg_get_serial_sequence('t', 'id'))::text
                      FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid";
    let before: String = database.row(everything).await.get(0);
    let outcome = database.once(&[]).exits(0);
    outcome.repair("public.s", json!({ "outcome": "repaired", "method": "leap", "next_value": 505 }));
    assert_eq!(database.row(everything).await.get::<String, _>(0), before);
}
