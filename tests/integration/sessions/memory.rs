//! Passes that remember, as the agent's do, on a database whose clock can be set.

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
    memory: SessionPassState,
    orders: PassOptions,
}

impl Agent {
    fn new(database: &Database, lines: &str) -> Self {
        let config = database.config(&by_expiry(lines));
        let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
        Self { settings, memory: SessionPassState::persistent(), orders: PassOptions::default() }
    }

    async fn pass(&mut self) -> SessionReport {
        let bounds = Timeouts { lock: Duration::from_secs(1), statement: Duration::from_secs(60) };
        let stores: Vec<&SessionStoreConfig> = self.settings.sessions.iter().collect();
        let mut reports = pass(&self.settings.databases[0], &stores, bounds, &self.orders, &mut self.memory).await;
        reports.remove(0)
    }
}

/// Sets this database's clock forward by so much; the rest of the server keeps the time.
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
    // What ends after the look is for the next sweep but one.
    database.sql("UPDATE sessions SET expires_at = now() WHERE user_id = 1 AND expires_at > now()").await;
    let second = agent.pass().await;
    assert_eq!((second.expired, second.stale, second.live), (200, Some(0), Some(300)), "{second:?}");
    let third = agent.pass().await;
    assert_eq!((third.expired, third.live), (1, Some(299)), "{third:?}");
    assert_eq!(left(&mut database).await, 299);
}

#[tokio::test]
async fn a_clock_that_jumps_and_comes_back_ends_nobody() {
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
async fn a_clock_that_stays_where_it_jumped_is_held_while_the_backlog_goes() {
    let mut database = filled(0, 300).await;
    let mut agent = Agent::new(&database, "");
    agent.pass().await;
    agent.pass().await;
    // Somebody has sessions that outlast the jump.
    database.sql("UPDATE sessions SET expires_at = expires_at + interval '1 year' WHERE user_id <= 20").await;
    database.sql("INSERT INTO sessions (expires_at) SELECT now() - interval '1 hour' FROM generate_series(1, 7)").await;
    jump(&mut database, "1 day").await;
    agent.pass().await;
    for _ in 0..2 {
        let held = agent.pass().await;
        let reason = held.held.clone().expect("a reason");
        assert!(reason.text.contains("280 of the 300 sessions"), "{held:?}");
        assert_eq!(reason.kind, ReasonKind::TooManyEnded);
        assert_eq!(reason.fix, Some(Fix::Command("pgmedic --once --approve logins".to_owned())));
    }
    assert_eq!(left(&mut database).await, 300, "the backlog is gone");
    database.once_with(&by_expiry(""), &["--approve", "logins"]).exits(0);
    assert_eq!(left(&mut database).await, 20);
    assert_eq!(agent.pass().await.held, None);
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
async fn a_dry_run_and_a_store_in_doubt_are_looked_at_again_and_again() {
    let mut database = filled(5, 5).await;
    let mut agent = Agent::new(&database, "");
    agent.orders.dry_run = true;
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
    // Somebody sets nearly all ends to the past.
    database.sql("UPDATE sessions SET expires_at = now() - interval '1 year' WHERE user_id > 1").await;
    agent.pass().await;
    let held = agent.pass().await;
    assert!(held.held.is_some_and(|why| why.text.contains("299 of the 300")), "{:?}", held.expired);
    assert_eq!(left(&mut database).await, 300);
}
