//! An application that uses the login library, and the sweep of its sessions.

use super::DemoError;
use super::app::{DemoApp, DuplicateKey};
use super::printer::Printer;
use futures_util::future::join_all;
use pgmedic_login::{SessionStore, SessionTable};
use pgmedic_testserver::TestServer;
use sqlx::postgres::PgPool;
use std::time::Duration;

/// A hundred users with a session each, of which forty are expired; and a sequence that is behind.
const HISTORY: &str = "\
INSERT INTO users SELECT generate_series(1, 100);
INSERT INTO user_sessions (session_id, user_id, token_hash, expires_at)
    SELECT id, id, sha256(id::text::bytea), now() + interval '1 day' * CASE WHEN id <= 60 THEN 1 ELSE -1 END
    FROM generate_series(1, 100) AS id;
SELECT setval('user_sessions_session_id_seq', 21, false)";

/// The users 1 to this log in at the same time: fewer than the taken ids that the sequence would hand out.
const AT_ONCE: i64 = 40;
const EXPIRED: u64 = 40;
const LIVE: u64 = 60;

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60);

const PLAIN: &str = "\
INSERT INTO user_sessions (user_id, token_hash, expires_at)
    VALUES ($1, sha256($2), now() + interval '30 minutes')";

const SETTINGS: &str = "\
[[sessions]]
name = \"logins\"
table = \"public.user_sessions\"
expires_at = \"expires_at\"
encoding = \"timestamptz\"";

pub(super) async fn show_logins(page: &mut Printer, server: &TestServer) -> Result<(), DemoError> {
    let app = DemoApp::create(server, "shop", SETTINGS).await?;
    let mut client = app.client().await?;
    client.run("create users", "CREATE TABLE users (id bigint PRIMARY KEY)").await?;
    client.run("create user_sessions", include_str!("../../docs/migrations/user_sessions.sql")).await?;
    client.run("fill user_sessions", HISTORY).await?;
    let pool = app.pool().await?;

    page.heading("5. Logins that repair themselves")?;
    page.say(&format!(
        "An application need not wait for the next pass. This one keeps its sessions with\n\
         pgmedic's Rust library; 100 are there, and the sequence was left at 21. {AT_ONCE} users\n\
         log in at once. First by a plain INSERT, as it was before:"
    ))?;
    page.code(PLAIN)?;
    page.bad(&plain(&pool).await?)?;
    page.say(
        "The same users by the library. When an insert meets a taken id, it moves the\n\
         sequence past the ids that are there, and inserts again:",
    )?;
    page.code("store.create_session(user, half_an_hour).await?")?;
    page.good(&repairing(&pool).await?)?;
    pool.close().await;

    page.heading("6. Sessions that are over")?;
    page.say(&format!(
        "Of the other users' sessions, {EXPIRED} ended yesterday and are still there. The pass\n\
         that repairs sequences sweeps them out too, in the agent as in pgmedic --once,\n\
         when the settings say how:"
    ))?;
    page.code(SETTINGS)?;
    let report = app.once().await?;
    page.report(&report)?;
    match report.databases.iter().flat_map(|database| &database.sessions).next() {
        Some(store) if (store.expired, store.live, store.stale) == (EXPIRED, Some(LIVE), Some(0)) => {}
        store => {
            let told = format!("{EXPIRED} sessions were to be ended and {LIVE} to be left: {store:?}");
            return Err(DemoError::UnexpectedResult(told));
        }
    }
    page.say(&format!("The {LIVE} live sessions stay, one for each of their users."))?;
    Ok(())
}

/// Every one of them must be refused.
async fn plain(pool: &PgPool) -> Result<String, DemoError> {
    let logins = (1..=AT_ONCE).map(async |user| {
        let insert = sqlx::query(PLAIN).bind(user).bind(format!("plain {user}").into_bytes());
        insert.execute(pool).await
    });
    for login in join_all(logins).await {
        match login {
            Ok(_) => return Err(DemoError::UnexpectedResult("a plain login was to fail, and did not".to_owned())),
            Err(error)
                if error.as_database_error().is_some_and(|e| e.code().as_deref() == Some(DuplicateKey::CODE)) => {}
            Err(error) => return Err(DemoError::login("log in by a plain INSERT", error.into())),
        }
    }
    Ok(format!("{AT_ONCE} logins: none succeeded, {AT_ONCE} were refused with ERROR {}", DuplicateKey::CODE))
}

/// Every one of them must succeed, and be found by its token.
async fn repairing(pool: &PgPool) -> Result<String, DemoError> {
    let store = SessionStore::open(pool.clone(), SessionTable::default()).await;
    let store = store.map_err(|error| DemoError::login("open its session store", error))?;
    let logins = (1..=AT_ONCE).map(async |user| {
        let login = store.create_session(user, HALF_AN_HOUR).await?;
        let found = store.find(login.token.expose()).await?;
        Ok((login, found.is_some_and(|session| session.user == user.to_string())))
    });
    let mut repairs = 0;
    for login in join_all(logins).await {
        let (login, found) = login.map_err(|error| DemoError::login("log in by the library", error))?;
        if !found {
            return Err(DemoError::UnexpectedResult(
                "a new session was to be found by its token, and was not".to_owned(),
            ));
        }
        repairs += login.repairs.len();
    }
    let times = if repairs == 1 { "once" } else { &format!("{repairs} times") };
    Ok(format!("{AT_ONCE} logins: {AT_ONCE} succeeded, none failed; the sequence was moved {times}"))
}
