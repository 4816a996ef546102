//! The clients: users who log in, inserts with inline repair, and inserts without.

use super::chance::Chance;
use super::history::Event;
use super::shared::Shared;
use super::tables::{Table, USERS};
use pgmedic_login::{InlineRepairLimits, SessionStore, SessionTable, retry_after_repair};
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Error, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// Between two actions of a client.
const PAUSE: Duration = Duration::from_millis(25);

/// After this time a client closes its connection and tries again.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

const HOUR: Duration = Duration::from_secs(3600);

/// Inserts into a table, and records the results.
pub async fn insert(shared: Arc<Shared>, url: String, table: &'static Table) {
    let (sequence, repairs, cached) = (table.sequence, table.repairs, table.name == "cached");
    let (statement, forget) = (table.insert(), table.delete_old());
    let mut open = None;
    let mut done = 0;
    while !shared.is_over() {
        if open.is_none() {
            open = timeout(RESPONSE_TIMEOUT, PgConnection::connect(&url)).await.ok().and_then(Result::ok);
        }
        if let Some(mut connection) = open.take() {
            let from = shared.history.now();
            let inserted = timeout(RESPONSE_TIMEOUT, insert_once(&mut connection, &statement, repairs)).await;
            match &inserted {
                // A session may return a value from its cache, which does not show the sequence's state.
                Ok(Ok(_)) if cached => {}
                Ok(Ok(id)) => shared.history.note(from, Event::Inserted { sequence, id: *id }),
                Ok(Err(error)) if is_duplicate(error) => shared.history.note(from, Event::Duplicate { sequence }),
                _ => {}
            }
            // After an error from the server, the connection is still usable.
            if matches!(inserted, Ok(Ok(_) | Err(Error::Database(_)))) {
                open = Some(connection);
            }
        }
        done += 1;
        if done % 100 == 0
            && let Some(connection) = &mut open
        {
            let forgotten = sqlx::raw_sql(AssertSqlSafe(forget.clone())).execute(connection);
            if timeout(RESPONSE_TIMEOUT, forgotten).await.is_err() {
                open = None;
            }
        }
        sleep(PAUSE).await;
    }
}

async fn insert_once(connection: &mut PgConnection, statement: &str, repairs: bool) -> Result<i64, Error> {
    if repairs {
        let repaired = retry_after_repair(connection, InlineRepairLimits::default(), async |connection| {
            // The statement is a constant, because the future of a closure that borrows it would not be Send.
            let insert = sqlx::query("INSERT INTO invoices DEFAULT VALUES RETURNING id").persistent(false);
            insert.fetch_one(connection).await?.try_get::<i64, _>(0)
        });
        return Ok(repaired.await?.value);
    }
    sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).fetch_one(connection).await?.try_get(0)
}

fn is_duplicate(error: &Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "23505")
}

/// Users who log in one after another, most of them for a short time. Some extend their session, and some log out.
pub async fn log_in(shared: Arc<Shared>, url: String, mut chance: Chance) {
    let pool = loop {
        let pool: Result<PgPool, _> =
            PgPoolOptions::new().max_connections(2).acquire_timeout(RESPONSE_TIMEOUT).connect(&url).await;
        match pool {
            Ok(pool) => break pool,
            Err(_) if shared.is_over() => return,
            Err(_) => sleep(PAUSE).await,
        }
    };
    let store = loop {
        match SessionStore::open(pool.clone(), SessionTable::default()).await {
            Ok(store) => break store,
            Err(_) if shared.is_over() => return,
            Err(_) => sleep(PAUSE).await,
        }
    };
    while !shared.is_over() {
        let from = shared.history.now();
        let user = 1 + chance.below(USERS.unsigned_abs() as usize);
        let ttl = if chance.one_in(3) { HOUR } else { Duration::from_millis(500 + chance.below(3000) as u64) };
        let login = timeout(RESPONSE_TIMEOUT, store.create_session(user, ttl)).await;
        match login {
            Ok(Ok(session)) => {
                shared.history.note(from, Event::Login { repairs: session.repairs.len() });
                let token = session.token.expose();
                // The session may have ended already. The result does not matter: the checker reads the tables.
                let _ = match chance.below(4) {
                    0 => timeout(RESPONSE_TIMEOUT, store.touch(token, ttl)).await.map(|answer| answer.map(|_| ())),
                    1 => timeout(RESPONSE_TIMEOUT, store.revoke(token)).await.map(|answer| answer.map(|_| ())),
                    _ => Ok(Ok(())),
                };
            }
            Ok(Err(error)) if is_taken(&error) => {
                shared.history.note(from, Event::Duplicate { sequence: "user_sessions_session_id_seq" });
            }
            _ => {}
        }
        sleep(PAUSE).await;
    }
    let _ = timeout(RESPONSE_TIMEOUT, pool.close()).await;
}

fn is_taken(error: &pgmedic_login::StoreError) -> bool {
    matches!(error, pgmedic_login::StoreError::Database(error) if is_duplicate(error))
}
