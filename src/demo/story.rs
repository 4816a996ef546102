//! The steps in order. Each is executed, and its result checked.

use super::app::{DemoApp, DuplicateKey, expect};
use super::printer::Printer;
use super::{DemoError, drift_examples, logins};
use crate::report::Outcome;
use pgmedic_testserver::TestServer;
use std::io;

const USER_SESSIONS: &str = "\
CREATE TABLE user_sessions (
    session_id  serial PRIMARY KEY,
    user_id     integer NOT NULL,
    token       uuid NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now()
)";
const SEQUENCE: &str = "public.user_sessions_session_id_seq";

/// What a restore of the rows without their sequence leaves behind.
const RESTORE: &str = "\
INSERT INTO user_sessions (session_id, user_id, token)
    SELECT id, id % 50, gen_random_uuid() FROM generate_series(1, 695) AS id;
SELECT setval('user_sessions_session_id_seq', 658, false)";

const LOGIN: &str = "\
INSERT INTO user_sessions (user_id, token) VALUES (42, gen_random_uuid())
    RETURNING session_id";

pub(super) fn opening(page: &mut Printer) -> io::Result<()> {
    page.heading("pgmedic demo: inserts that fail, and how they are repaired")?;
    page.say("Starting a PostgreSQL server for this demo alone ...")
}

pub(super) async fn run_story(page: &mut Printer, server: &TestServer) -> Result<(), DemoError> {
    page.continue_block(&format!(
        "PostgreSQL {} is running. It is private: it listens on no port, and it goes\n\
         away with all its data when the demo ends.",
        server.version()
    ))?;
    let mut app = DemoApp::create(server, "app", "").await?;
    login(page, &app).await?;
    drift_examples::show_drift_examples(page, &mut app).await?;
    logins::show_logins(page, server).await
}

/// The incident that pgmedic was written for.
async fn login(page: &mut Printer, app: &DemoApp) -> Result<(), DemoError> {
    let mut client = app.client().await?;
    client.run("create user_sessions", USER_SESSIONS).await?;
    client.run("fill user_sessions", RESTORE).await?;
    page.heading("1. A login fails")?;
    page.say(
        "A web application writes each login into this table. PostgreSQL numbers the rows\n\
         from a counter beside the table, which it calls a sequence:",
    )?;
    page.code(USER_SESSIONS)?;
    page.say(
        "A restore brought back the rows 1 to 695, but left the sequence at 658. So the\n\
         next login is given a number that is taken:",
    )?;
    page.code(LOGIN)?;
    let refusal = client.insert_expecting_duplicate(LOGIN).await?;
    page.bad(&format!("ERROR {}: {}\nDETAIL: {}", DuplicateKey::CODE, refusal.message, refusal.detail))?;
    page.say("The next login is given 659 and fails too, and so on up to 695.")?;

    page.heading("2. One pass repairs it")?;
    page.say(
        "The same pass as pgmedic --once. It compares what the sequence hands out next\n\
         (the next value) with the last id in the table (the max id). The lag is how\n\
         many inserts would fail. Past them it moves the sequence, never back:",
    )?;
    let report = app.once().await?;
    page.report(&report)?;
    expect(&report, SEQUENCE, Outcome::Repaired)?;
    page.say("The same login again:")?;
    client.insert_expecting(LOGIN, 696).await?;
    page.good("session_id 696")?;
    Ok(())
}

/// Printed after the server is gone.
pub(super) fn closing(page: &mut Printer, program: &str) -> io::Result<()> {
    page.say(
        "The demo's server is gone, and so are its files. To look at a database of your\n\
         own, changing nothing in it, run:",
    )?;
    page.code(&format!("DATABASE_URL=postgres://user@host/database {program} --once --dry-run"))
}
