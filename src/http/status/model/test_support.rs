//! Small states for the unit tests of the page's words.

use super::Snapshot;
use crate::report::{Cause, DatabaseReport, Outcome, RepairReport, SequenceReport, Verdict};
use crate::state::{DatabaseState, DayCounts, History, Observed};
use pgmedic_core::sequence::{FeedReport, HoldReason, Link, Method};
use pgmedic_core::{Fix, Reason, ReasonKind};
use std::sync::Arc;

/// 2023-11-14 22:13:20 UTC.
pub const NOW: f64 = 1_700_000_000.0;

/// A sequence `schema.table_column_seq` that feeds its column.
fn feeding(name: &str, verdict: Verdict) -> SequenceReport {
    let column = name.trim_end_matches("_seq").to_owned();
    let table = column.rsplit_once('_').map_or(column.clone(), |(table, last)| format!("{table}.{last}"));
    let feeds = [FeedReport { column: table.into(), link: Link::Serial, followed: None }].into();
    SequenceReport {
        feeds,
        next_value: Some(21),
        max_id: Some(20),
        limit: Some(2_147_483_647),
        lag: Some(0),
        used_ratio: Some(0.0001),
        ..SequenceReport::new(name.to_owned(), Vec::new(), verdict)
    }
}

pub fn in_sync(name: &str) -> SequenceReport {
    feeding(name, Verdict::InSync)
}

/// As in the story: the next value is 658, and ids go up to 695.
pub fn behind(name: &str) -> SequenceReport {
    let fix = Fix::Sql("GRANT USAGE, UPDATE ON SEQUENCE public.user_sessions_session_id_seq TO pgmedic".to_owned());
    let repair = RepairReport {
        method: Some(Method::Advance),
        held_by: Some(HoldReason::Privilege),
        reason: Some(Reason::new(ReasonKind::MissingPrivilege, "the role has no UPDATE privilege").with_fix(fix)),
        ..RepairReport::new(Outcome::Held, None, None)
    };
    SequenceReport {
        next_value: Some(658),
        max_id: Some(695),
        lag: Some(38),
        cause: Some(Cause::IdsInserted),
        repair: Some(Box::new(repair)),
        ..feeding(name, Verdict::Behind)
    }
}

pub fn exhausted(name: &str) -> SequenceReport {
    let range = (Some(32_767), Some(32_767));
    SequenceReport {
        next_value: None,
        max_id: range.0,
        limit: range.1,
        used_ratio: Some(1.0),
        ..feeding(name, Verdict::Exhausted)
    }
}

pub fn unreadable(name: &str) -> SequenceReport {
    let fix = Fix::Sql(format!("GRANT SELECT ON {name} TO pgmedic"));
    let reason = Reason::new(ReasonKind::MissingPrivilege, "a privilege is missing").with_fix(fix);
    SequenceReport {
        reason: Some(Box::new(reason)),
        ..SequenceReport::new(name.to_owned(), Vec::new(), Verdict::Unreadable)
    }
}

pub fn running_out(name: &str) -> SequenceReport {
    SequenceReport { used_ratio: Some(0.941), running_out: true, ..in_sync(name) }
}

fn observed(sequences: usize) -> Observed {
    let mut observed = Observed::default();
    observed.sequences = Some(sequences);
    observed
}

/// A database that was checked four seconds ago.
pub fn checked(sequences: Vec<SequenceReport>) -> DatabaseState {
    let report = DatabaseReport {
        name: "app".into(),
        server_version: Some("17.5".to_owned()),
        sequences: sequences.into_iter().map(Arc::new).collect(),
        ..DatabaseReport::default()
    };
    let observed = observed(report.sequences.len());
    DatabaseState {
        up: Some(true),
        leader: true,
        interval: 30.0,
        last_success: Some(NOW - 4.0),
        report: Some(Arc::new(report)),
        observed: Arc::new(observed),
        ..DatabaseState::default()
    }
}

/// A database that cannot be reached, and had this many sequences.
pub fn refused(sequences: usize) -> DatabaseState {
    let observed = observed(sequences);
    DatabaseState {
        up: Some(false),
        interval: 30.0,
        last_error: Some("permission denied for database \"legacy\"".to_owned()),
        failing_since: Some(NOW - 1790.0),
        last_success: Some(NOW - 1800.0),
        observed: Arc::new(observed),
        ..DatabaseState::default()
    }
}

pub fn standby() -> DatabaseState {
    DatabaseState { up: Some(true), interval: 30.0, ..DatabaseState::default() }
}

pub fn snapshot(databases: impl IntoIterator<Item = (&'static str, DatabaseState)>) -> Snapshot {
    snapshot_of(databases.into_iter().map(|(name, state)| (name.to_owned(), state)))
}

/// The same, by the whole names of the databases.
pub fn snapshot_of(databases: impl IntoIterator<Item = (String, DatabaseState)>) -> Snapshot {
    Snapshot {
        databases: databases.into_iter().map(|(name, state)| (name, Arc::new(state))).collect(),
        history: History::default(),
        day: DayCounts::default(),
        started: NOW - 100_000.0,
        now: NOW,
        dry_run: false,
        config_accepted: true,
        servers: Vec::new(),
        named_servers: Vec::new(),
        links: Arc::default(),
    }
}
