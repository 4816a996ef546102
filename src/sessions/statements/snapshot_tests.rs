//! Compares every statement, as it is sent, with `snapshot.sql`: four encodings, three ways to end a session.

use super::{Rows, SweepSql, Target, Turn};
use crate::config::{Encoding, ExpiryKind};
use crate::sessions::pages::Pages;
use crate::sessions::store::{
    CodeState, Effects, EndAction, ExpiryColumn, PerUserLimit, ResolvedStore, TimeColumn, TimeType,
};
use crate::sessions::times::{Times, time_literal};
use std::fmt::Write;

/// 2026-01-15
const NOW: i64 = 1_768_435_200_000_000;
const MINUTE: i64 = 60_000_000;

/// The file is written anew when this variable is set.
const UPDATE: &str = "UPDATE_SNAPSHOT";

const ACTIONS: [&str; 3] = ["delete", "revoke by value", "revoke by time"];

fn encodings() -> [(Encoding, TimeType); 4] {
    [
        (Encoding::Timestamptz, TimeType::Timestamptz),
        (Encoding::Timestamp { time_zone: "Europe/Zurich".to_owned() }, TimeType::Timestamp),
        (Encoding::EpochSeconds, TimeType::Int4),
        (Encoding::EpochMillis, TimeType::Int8),
    ]
}

fn time(name: &str, time_type: TimeType) -> TimeColumn {
    TimeColumn { name: name.to_owned(), time_type }
}

/// A store with two sessions for each user; a second rule where it has partitions.
fn store(action: &str, time_type: TimeType, has_children: bool) -> ResolvedStore {
    let mut ends =
        vec![ExpiryColumn { kind: ExpiryKind::ExpiresAt, column: time("expires_at", time_type), lifetime: None }];
    if has_children {
        ends.push(ExpiryColumn {
            kind: ExpiryKind::LastActivity,
            column: time("\"lastSeen\"", time_type),
            lifetime: None,
        });
    }
    ResolvedStore {
        table: "public.sessions".to_owned(),
        has_children,
        oids: vec![16_400],
        schema: "public".to_owned(),
        owner: "app".to_owned(),
        role: "pgmedic".to_owned(),
        row_security: false,
        only: Vec::new(),
        value_checks: Vec::new(),
        kinds: Vec::new(),
        columns: Vec::new(),
        ends,
        action: match action {
            "delete" => EndAction::Delete,
            "revoke by value" => EndAction::Set { column: "state".to_owned(), value: "'over'::text".to_owned() },
            _ => EndAction::Stamp(time("revoked_at", time_type)),
        },
        per_user: Some(PerUserLimit {
            max: 2,
            user: vec!["\"userId\"".to_owned()],
            newest_by: time("created_at", time_type),
        }),
        created_at: None,
        effects: Effects::default(),
        ids: Vec::new(),
        text_ids: Vec::new(),
        warnings: Vec::new(),
        missing_to_look: None,
        missing_to_sweep: None,
        untrusted_code: None,
        code: CodeState::default(),
    }
}

/// The clock in the zone of naive timestamps is an hour ahead.
fn times(encoding: &Encoding) -> Times {
    let local = if matches!(encoding, Encoding::Timestamp { .. }) { NOW + 60 * MINUTE } else { NOW };
    let cutoffs = |at| vec![time_literal(encoding, at), time_literal(encoding, at - 30 * MINUTE)];
    Times {
        now: NOW,
        now_local: local,
        cutoff: cutoffs(local - MINUTE),
        cutoff_now: cutoffs(local),
        cutoff_day_ago: cutoffs(local - 24 * 60 * MINUTE),
    }
}

/// The statements that end sessions; with the ones that only read, where `reads` says so.
fn statements(encoding: &Encoding, store: &ResolvedStore, reads: bool) -> Vec<(&'static str, String)> {
    let times = times(encoding);
    let sql = SweepSql { store, encoding, times: &times };
    let limit = store.per_user.as_ref().unwrap();
    let rule = sql.rules(&times.cutoff).next().unwrap();
    let over = Target::Over { rule, turn: Turn::Oldest, cursor: Some(NOW - 60 * MINUTE) };
    let stored = Target::Over { rule, turn: Turn::Stored(Pages::of(9)), cursor: None };
    let mut all = vec![
        ("batch", sql.end_batch(over, 500, Rows::Except(&[]))),
        ("supersede", sql.end_batch(Target::Superseded(limit), 500, Rows::Except(&[]))),
    ];
    if reads {
        let last = vec![time_literal(encoding, NOW - 120 * MINUTE); 2];
        let [newest, outliers] = sql.sample(&store.ends[0].column, 101);
        all.extend([
            ("batch of a backlog", sql.end_batch(stored, 500, Rows::Except(&[]))),
            ("count", sql.count(Some(&last))),
            ("count by index", sql.count_by_index(Some(&last), 100_000).join(";\n")),
            ("count superseded", sql.count_superseded(limit)),
            ("newest values", newest),
            ("outliers", outliers),
        ]);
    }
    all
}

#[test]
fn every_statement_is_as_in_the_snapshot() {
    let mut found = format!(
        "-- Every statement of a sweep as it is sent. A test writes this file when {UPDATE} is set, and compares it else.\n"
    );
    let mut add = |encoding: &Encoding, action: &str, more: &str, statements: Vec<(&str, String)>| {
        for (name, statement) in statements {
            let _ = write!(found, "\n-- {name}: {}, {action}{more}\n{statement};\n", encoding.word());
        }
    };
    for (encoding, time_type) in encodings() {
        for action in ACTIONS {
            // What only reads differs by the encoding, and by whether sessions are revoked.
            let reads = action == "delete" || encoding == Encoding::Timestamptz;
            add(&encoding, action, "", statements(&encoding, &store(action, time_type, false), reads));
        }
    }
    let partitioned = store("delete", TimeType::Timestamptz, true);
    add(
        &Encoding::Timestamptz,
        "delete",
        ", partitioned, two rules",
        statements(&Encoding::Timestamptz, &partitioned, true),
    );

    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/sessions/statements/snapshot.sql");
    if std::env::var_os(UPDATE).is_some() {
        std::fs::write(file, &found).unwrap();
    }
    assert!(
        found == include_str!("snapshot.sql"),
        "the statements changed: set {UPDATE}, test again, and read the diff"
    );
}

#[test]
fn the_first_batch_begins_at_the_oldest_session_and_a_first_look_has_no_fresh_ones() {
    let (store, times) = (store("delete", TimeType::Timestamptz, false), times(&Encoding::Timestamptz));
    let sql = SweepSql { store: &store, encoding: &Encoding::Timestamptz, times: &times };
    let rule = sql.rules(&times.cutoff).next().unwrap();
    let over = |turn, cursor| Target::Over { rule, turn, cursor };
    let first = sql.end_batch(over(Turn::Oldest, None), 500, Rows::Except(&[]));
    assert!(first.contains("AND true AND true AND true\n"), "no condition, no cursor, no row is left out");
    let next = sql.end_batch(over(Turn::Newest, Some(NOW)), 500, Rows::Except(&[]));
    let expected =
        ["t.expires_at <= '2026-01-15 00:00:00.000001+00'", "ORDER BY t.expires_at DESC", "epoch FROM min(at)"];
    assert!(expected.iter().all(|part| next.contains(part)), "{next}");
    assert!(sql.count(None).contains("false AS was_over"));
    assert!(sql.count_by_index(None, 10).iter().all(|sql| sql.contains("WHERE false AND true LIMIT 10")));
}
