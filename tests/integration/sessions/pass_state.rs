//! Passes that keep a state between them, as the agent's do, on a database whose clock can be set.

use super::{by_expiry, filled, left};
use crate::support::Database;
use pgmedic::config::{Environment, SessionStoreConfig, Settings};
use pgmedic::pass_options::PassOptions;
use pgmedic::report::SessionReport;
use pgmedic::sessions::{SessionPassState, pass};
use pgmedic_core::{Fix, ReasonKind, Timeouts};
use std::time::Duration;

struct Agent {
    settings: Settings,
    state: SessionPassState,
    options: PassOptions,
}

impl Agent {
    fn new(database: &Database, lines: &str) -> Self {
        let config = database.config(&by_expiry(lines));
        let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
        Self { settings, state: SessionPassState::persistent(), options: PassOptions::default() }
    }

    async fn pass(&mut self) -> SessionReport {
        let timeouts = Timeouts { lock: Duration::from_secs(1), statement: Duration::from_secs(60) };
        let stores: Vec<&SessionStoreConfig> = self.settings.sessions.iter().collect();
        let mut reports = pass(&self.settings.databases[0], &stores, timeouts, &self.options, &mut self.state).await;
        reports.remove(0)
    }
}

/// Sets this database's clock forward; other databases of the server keep the time.
async fn jump(database: &mut Database, by: &str) {
    database
        .sql(&format!(
            "SET allow_system_table_mods = on;
             CREATE OR REPLACE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql STRICT VOLATILE
             AS $$SELECT statement_timestamp() + interval '{by}'$$"
        ))
        .await;
}

#[tokio::test]
async fn the_first_pass_only_looks_and_the_second_sweeps_what_was_over_then() {
    let mut database = filled(200, 300).await;
    let mut agent = Agent::new(&database, "");
    let first = agent.pass().await;
    assert_eq!((first.expired, first.stale, first.live), (0, Some(200), Some(300)));
    // A session that ends after the first pass is ended by the third.
    database.sql("UPDATE sessions SET expires_at = now() WHERE user_id = 1 AND expires_at > now()").await;
    let second = agent.pass().await;
    assert_eq!((second.expired, second.stale, second.live), (200, Some(0), Some(300)), "{second:?}");
    let third = agent.pass().await;
    assert_eq!((third.expired, third.live), (1, Some(299)), "{third:?}");
    assert_eq!(left(&mut database).await, 299);
}

#[tokio::test]
async fn a_clock_that_jumps_and_comes_back_ends_no_session() {
    let mut database = filled(0, 300).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    agent.pass().await;
    jump(&mut database, "1 day").await;
    let during = agent.pass().await;
    assert_eq!((during.expired, during.live), (0, Some(300)), "{during:?}");
    jump(&mut database, "0").await;
    let after = agent.pass().await;
    assert_eq!((after.expired, after.held), (0, None));
    assert_eq!(left(&mut database).await, 300);
}

#[tokio::test]
async fn a_clock_that_stays_where_it_jumped_is_held() {
    let mut database = filled(7, 300).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    assert_eq!(agent.pass().await.expired, 7);
    // Some sessions outlast the jump.
    database.sql("UPDATE sessions SET expires_at = expires_at + interval '1 year' WHERE user_id <= 20").await;
    jump(&mut database, "1 day").await;
    agent.pass().await;
    for _ in 0..2 {
        let held = agent.pass().await;
        let reason = held.held.clone().expect("a reason");
        assert!(reason.text.contains("280 of the 300 sessions"), "{held:?}");
        assert_eq!(reason.kind, ReasonKind::TooManyEnded);
        assert_eq!(reason.fix, Some(Fix::Approval("pgmedic --once --approve logins".to_owned())));
    }
    assert_eq!(left(&mut database).await, 300);
    database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0);
    assert_eq!(left(&mut database).await, 20);
    assert_eq!(agent.pass().await.held, None);
}

#[tokio::test]
async fn a_first_sweep_that_would_end_most_sessions_of_the_last_day_is_held_at_each_pass_until_it_is_approved() {
    let mut database = filled(0, 2).await;
    database.sql("INSERT INTO sessions (expires_at) SELECT now() - interval '1 hour' FROM generate_series(1, 3)").await;
    let mut agent = Agent::new(&database, "");
    for _ in 0..3 {
        let held = agent.pass().await.held.expect("a reason");
        assert_eq!(held.kind, ReasonKind::FirstSweep);
        assert!(held.text.contains("would end 3 of 5 sessions"), "{}", held.text);
    }
    assert_eq!(left(&mut database).await, 5);
    database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0);
    assert_eq!((agent.pass().await.held, left(&mut database).await), (None, 2));
}

/// As with a time zone that is hours off: each new session looks over as soon as it is there.
#[tokio::test]
async fn new_sessions_that_are_over_from_birth_are_held_and_released_when_others_come() {
    let mut database = filled(0, 0).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    assert_eq!(agent.pass().await.held, None, "nothing is there");
    database
        .sql("INSERT INTO sessions (expires_at) VALUES (now() - interval '1 hour'), (now() + interval '1 hour')")
        .await;
    database.sql("INSERT INTO sessions (expires_at) VALUES (now() - interval '1 hour')").await;
    for _ in 0..2 {
        let held = agent.pass().await.held.expect("a reason");
        assert_eq!(held.kind, ReasonKind::OverFromBirth);
        assert!(held.text.contains("2 of the 3 sessions that are new"), "{}", held.text);
    }
    database
        .sql("INSERT INTO sessions (expires_at) VALUES (now() + interval '1 hour'), (now() + interval '1 hour')")
        .await;
    let report = agent.pass().await;
    assert_eq!((report.held, report.expired, left(&mut database).await), (None, 2, 3));
}

#[tokio::test]
async fn what_ends_bit_by_bit_is_no_news() {
    let mut database = filled(0, 400).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    let mut expired = 0;
    for part in 0..8 {
        let end = "UPDATE sessions SET expires_at = now() WHERE expires_at > now() AND user_id <=";
        database.sql(&format!("{end} {}", (part + 1) * 45)).await;
        let report = agent.pass().await;
        assert_eq!(report.held, None, "{report:?}");
        expired += report.expired;
    }
    assert_eq!(expired, 7 * 45);
}

#[tokio::test]
async fn a_dry_run_only_looks_however_often() {
    let mut database = filled(5, 5).await;
    let mut agent = Agent::new(&database, "");
    agent.options.dry_run = true;
    for _ in 0..3 {
        let report = agent.pass().await;
        assert_eq!((report.expired, report.stale), (0, Some(5)));
    }
    assert_eq!(left(&mut database).await, 10);
}

#[tokio::test]
async fn the_very_first_sweep_is_guarded_by_the_look_before_it() {
    let mut database = filled(0, 300).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    // Nearly all ends are set to the past.
    database.sql("UPDATE sessions SET expires_at = now() - interval '1 year' WHERE user_id > 1").await;
    agent.pass().await;
    let held = agent.pass().await;
    assert!(held.held.is_some_and(|why| why.text.contains("299 of the 300")), "{:?}", held.expired);
    assert_eq!(left(&mut database).await, 300);
}

#[tokio::test]
async fn sessions_that_are_left_alone_are_reported_as_of_their_last_try_and_not_after_they_are_gone() {
    let mut database = filled(3, 3).await;
    database
        .sql(
            "CREATE TABLE notes (session bigint NOT NULL CONSTRAINT k REFERENCES sessions); CREATE INDEX ON notes (session);
             INSERT INTO notes SELECT id FROM sessions WHERE expires_at < now()",
        )
        .await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    let said = |report: &SessionReport| report.error.as_ref().map(|reason| reason.text.clone()).unwrap_or_default();
    let tried = said(&agent.pass().await);
    assert!(tried.starts_with("sessions that could not be ended: 3: "), "{tried}");
    let left_alone = said(&agent.pass().await);
    assert!(
        left_alone.starts_with("sessions that could not be ended when they were last tried, at 20"),
        "{left_alone}"
    );
    assert!(said(&agent.pass().await).starts_with("sessions that could not be ended: 3: "));
    database.sql("DELETE FROM notes; DELETE FROM sessions WHERE expires_at < now()").await;
    let gone = agent.pass().await;
    assert_eq!((gone.error, gone.stale, gone.live), (None, Some(0), Some(3)));
}

#[tokio::test]
async fn a_sweep_whose_time_is_up_in_the_live_part_of_a_table_comes_to_its_backlog_in_the_end() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE sessions (id int PRIMARY KEY, expires_at timestamptz);
             INSERT INTO sessions SELECT n, now() + CASE WHEN n <= 1200 THEN 1 ELSE -1 END * interval '2 days' + n * interval '1 second'
             FROM generate_series(1, 26000) AS n",
        )
        .await;
    let mut agent = Agent::new(&database, "sweep_timeout = \"1ms\"");
    let mut passes = 0;
    while left(&mut database).await == 26_000 {
        passes += 1;
        assert!(passes < 40, "each sweep reads the same pages again");
        agent.pass().await;
    }
    assert_eq!(database.number("SELECT count(*) FROM sessions WHERE expires_at > now()").await, 1_200);
}
