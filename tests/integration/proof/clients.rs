//! Who uses the tables: users who log in, inserts that repair themselves, and inserts that do not.

use super::chance::Chance;
use super::history::Event;
use super::place::Place;
use super::tables::{Table, USERS};
use pgmedic_login::{InlineRepairLimits, SessionStore, SessionTable, retry_after_repair};
use sqlx::postgres::{PgConnection, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, Error, Row};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{sleep, timeout};

/// About so often each does something.
const PAUSE: Duration = Duration::from_millis(25);

/// Whoever hears nothing for so long hangs up and tries again.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

const HOUR: Duration = Duration::from_secs(3600);

/// Inserts into a table, and tells what came of it.
pub async fn insert(place: Arc<Place>, url: String, table: &'static Table) {
    let (sequence, repairs, cached) = (table.sequence, table.repairs, table.name == "cached");
    let (statement, forget) = (table.insert(), table.forget());
    let mut open = None;
    let mut done = 0;
    while !place.is_over() {
        if open.is_none() {
            open = timeout(ANSWERS_WITHIN, PgConnection::connect(&url)).await.ok().and_then(Result::ok);
        }
        if let Some(mut connection) = open.take() {
            let from = place.history.now();
            let inserted = timeout(ANSWERS_WITHIN, insert_once(&mut connection, &statement, repairs)).await;
            match &inserted {
                // A value that a session keeps in its cache tells nothing of where the sequence stands.
                Ok(Ok(_)) if cached => {}
                Ok(Ok(id)) => place.history.note(from, Event::Given { sequence, id: *id }),
                Ok(Err(error)) if is_duplicate(error) => place.history.note(from, Event::Duplicate { sequence }),
                _ => {}
            }
            // The server's own errors leave the connection as it was.
            if matches!(inserted, Ok(Ok(_) | Err(Error::Database(_)))) {
                open = Some(connection);
            }
        }
        done += 1;
        if done % 100 == 0
            && let Some(connection) = &mut open
        {
            let forgotten = sqlx::raw_sql(AssertSqlSafe(forget.clone())).execute(connection);
            if timeout(ANSWERS_WITHIN, forgotten).await.is_err() {
                open = None;
            }
        }
        sleep(PAUSE).await;
    }
}

async fn insert_once(connection: &mut PgConnection, statement: &str, repairs: bool) -> Result<i64, Error> {
    if repairs {
        let repaired = retry_after_repair(connection, InlineRepairLimits::default(), async |connection| {
            // Written out: a closure that borrows its statement cannot go to another thread, says the compiler.
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

/// Users who log in one after the other, most of them for a short time, come back before their time is over, and leave.
pub async fn log_in(place: Arc<Place>, url: String, mut chance: Chance) {
    let pool = loop {
        let pool: Result<PgPool, _> =
            PgPoolOptions::new().max_connections(2).acquire_timeout(ANSWERS_WITHIN).connect(&url).await;
        match pool {
            Ok(pool) => break pool,
            Err(_) if place.is_over() => return,
            Err(_) => sleep(PAUSE).await,
        }
    };
    let store = loop {
        match SessionStore::open(pool.clone(), SessionTable::default()).await {
            Ok(store) => break store,
            Err(_) if place.is_over() => return,
            Err(_) => sleep(PAUSE).await,
        }
    };
    while !place.is_over() {
        let from = place.history.now();
        let user = 1 + chance.below(USERS.unsigned_abs() as usize);
        let ttl = if chance.one_in(3) { HOUR } else { Duration::from_millis(500 + chance.below(3000) as u64) };
        let login = timeout(ANSWERS_WITHIN, store.create_session(user, ttl)).await;
        match login {
            Ok(Ok(session)) => {
                place.history.note(from, Event::Login { repairs: session.repairs.len() });
                let token = session.token.expose();
                // Its end may have come meanwhile: whatever is answered, the sweep must not be in the way.
                let _ = match chance.below(4) {
                    0 => timeout(ANSWERS_WITHIN, store.touch(token, ttl)).await.map(|answer| answer.map(|_| ())),
                    1 => timeout(ANSWERS_WITHIN, store.revoke(token)).await.map(|answer| answer.map(|_| ())),
                    _ => Ok(Ok(())),
                };
            }
            Ok(Err(error)) if is_taken(&error) => {
                place.history.note(from, Event::Duplicate { sequence: "user_sessions_session_id_seq" });
            }
            _ => {}
        }
        sleep(PAUSE).await;
    }
    let _ = timeout(ANSWERS_WITHIN, pool.close()).await;
}

fn is_taken(error: &pgmedic_login::StoreError) -> bool {
    matches!(error, pgmedic_login::StoreError::Database(error) if is_duplicate(error))
}
