//! The retry for tokio-postgres, against the real library, alone and through deadpool-postgres.

use super::cancellation::Polled;
use crate::support::{Database, server};
use deadpool_postgres::{Manager, Pool};
use pgmedic_login::tokio_postgres::{is_duplicate_key, repair_after, retry_after_repair, retry_statement_after_repair};
use std::pin::pin;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

const INSERT: &str = "INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id";

/// A database whose sequence is behind 20 sessions, with the function for the client's role.
async fn drifted() -> Database {
    let mut database = super::drifted().await;
    database.install_sql().await;
    database
}

async fn connect(database: &Database) -> Client {
    let url = server().tcp_url(&database.name).unwrap();
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client
}

#[tokio::test]
async fn a_statement_meets_a_taken_id_and_is_run_again() {
    let database = drifted().await;
    let client = connect(&database).await;
    // As in a web handler, whose futures are `Send`.
    let id = tokio::spawn(async move {
        let login = async move |client: &Client| client.query_one(INSERT, &[&7]).await;
        retry_statement_after_repair(&client, login).await.unwrap().get::<_, i32>(0)
    });
    assert_eq!(id.await.unwrap(), 696);
}

#[tokio::test]
async fn an_insert_inside_a_transaction_leaves_what_was_done_before() {
    let mut database = drifted().await;
    let mut client = connect(&database).await;
    let mut transaction = client.transaction().await.unwrap();
    transaction.execute("UPDATE user_sessions SET user_id = 99 WHERE session_id = 1", &[]).await.unwrap();
    let id = retry_after_repair(&mut transaction, async |savepoint| {
        savepoint.query_one(INSERT, &[&7]).await?.try_get::<_, i32>(0)
    });
    assert_eq!(id.await.unwrap(), 696);
    transaction.commit().await.unwrap();
    assert_eq!(database.number("SELECT count(*) FROM user_sessions WHERE user_id = 99").await, 1);
}

#[tokio::test]
async fn a_duplicate_that_no_sequence_explains_is_returned_after_one_run() {
    let mut database = drifted().await;
    database.sql("SELECT setval('user_sessions_session_id_seq', 10000)").await;
    let mut client = connect(&database).await;
    let taken = "INSERT INTO user_sessions (session_id, user_id) VALUES (1, 1)";
    let mut runs = 0;
    let error = retry_statement_after_repair(&client, async |client: &Client| {
        runs += 1;
        client.execute(taken, &[]).await
    });
    let error = error.await.unwrap_err();
    assert_eq!(error.code(), Some(&SqlState::UNIQUE_VIOLATION));
    assert!(is_duplicate_key(&error) && !repair_after(&client, &error).await.unwrap());
    assert_eq!(runs, 1);

    let mut transaction = client.transaction().await.unwrap();
    let error = retry_after_repair(&mut transaction, async |savepoint| savepoint.execute(taken, &[]).await);
    assert_eq!(error.await.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));
    transaction.execute("SELECT 1", &[]).await.unwrap();
}

#[tokio::test]
async fn without_the_function_the_inserts_error_is_returned() {
    let database = super::drifted().await;
    let mut client = connect(&database).await;
    let error =
        retry_statement_after_repair(&client, async |client: &Client| client.query_one(INSERT, &[&7]).await).await;
    assert_eq!(error.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));
    // The transaction of the caller goes on.
    let mut transaction = client.transaction().await.unwrap();
    let error = retry_after_repair(&mut transaction, async |savepoint| savepoint.execute(INSERT, &[&7]).await);
    assert_eq!(error.await.unwrap_err().code(), Some(&SqlState::UNIQUE_VIOLATION));
    transaction.execute("SELECT 1", &[]).await.unwrap();
}

#[tokio::test]
async fn fifty_logins_at_once_through_deadpool_all_succeed() {
    let database = drifted().await;
    let config = server().tcp_url(&database.name).unwrap().parse().unwrap();
    let pool = Pool::builder(Manager::new(config, NoTls)).max_size(10).build().unwrap();
    let logins = (0..50).map(|user: i32| {
        let pool = pool.clone();
        tokio::spawn(async move {
            let mut client = pool.get().await.unwrap();
            if user % 2 == 0 {
                let login = async move |client: &Client| client.query_one(INSERT, &[&user]).await;
                return retry_statement_after_repair(&**client, login).await.map(drop);
            }
            let mut transaction = client.transaction().await.unwrap();
            let login =
                async move |savepoint: &tokio_postgres::Transaction<'_>| savepoint.query_one(INSERT, &[&user]).await;
            retry_after_repair(&mut transaction, login).await?;
            transaction.commit().await
        })
    });
    for login in logins.collect::<Vec<_>>() {
        login.await.unwrap().unwrap();
    }
}

/// A call that is dropped at any of its awaits leaves the connection outside a transaction, once the caller's own is rolled
/// back.
#[tokio::test]
async fn a_login_that_is_dropped_leaves_the_connection_as_it_was() {
    let mut database = drifted().await;
    let mut client = connect(&database).await;
    for in_transaction in [false, true] {
        for polls in 0.. {
            database.sql("SELECT setval('user_sessions_session_id_seq', 1, false)").await;
            let ended = if in_transaction {
                let login = async {
                    let mut transaction = client.transaction().await.unwrap();
                    let insert =
                        async |savepoint: &tokio_postgres::Transaction<'_>| savepoint.query_one(INSERT, &[&7]).await;
                    retry_after_repair(&mut transaction, insert).await.unwrap();
                    transaction.commit().await.unwrap();
                };
                Polled { future: pin!(login), left: polls }.await
            } else {
                let insert = async |client: &Client| client.query_one(INSERT, &[&7]).await;
                let login = async { drop(retry_statement_after_repair(&client, insert).await.unwrap()) };
                Polled { future: pin!(login), left: polls }.await
            };
            // Outside a transaction, both are the time of this message.
            let state = "SELECT statement_timestamp() = transaction_timestamp()";
            let state = client.simple_query(state).await.unwrap_or_else(|error| panic!("after {polls}: {error}"));
            let rows = state.iter().filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => row.get(0),
                _ => None,
            });
            assert_eq!(rows.collect::<Vec<_>>(), ["t"], "dropped after {polls} polls");
            if ended.is_some() {
                assert!(polls > 2, "only {polls} polls");
                break;
            }
        }
    }
}
