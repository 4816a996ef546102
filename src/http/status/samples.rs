//! Pages of a believable day, rendered from made-up states, for the pictures in the documents and to look at after a change.
//!
//! `make pictures` sets `PGMEDIC_SAMPLE_PAGES` to a folder for them. Without it, the test only renders them.

use super::assets::Links;
use super::model::Snapshot;
use super::model::test_support::{NOW, behind, checked, exhausted, in_sync, refused, running_out, snapshot, standby};
use super::search_query::SearchQuery;
use super::view;
use crate::report::{Cause, FarIds, SequenceReport, SessionReport};
use crate::state::{DatabaseState, HistoryEvent, LastRepair};
use pgmedic_core::sequence::{FeedReport, HoldReason, Link};
use pgmedic_core::{Fix, Reason, ReasonKind};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// Name, next value, used ratio, days left.
const SHOP: [(&str, i64, f64, f64); 14] = [
    ("public.audit_log_id_seq", 1_391_004_823, 0.648, 690.0),
    ("public.order_events_id_seq", 981_220_412, 0.457, 1500.0),
    ("public.webhook_deliveries_id_seq", 612_004_119, 0.285, 1200.0),
    ("public.messages_id_seq", 310_288_012, 0.144, 3300.0),
    ("public.email_queue_id_seq", 120_448_211, 0.056, 4100.0),
    ("public.cart_items_id_seq", 88_120_035, 0.041, 4400.0),
    ("public.carts_id_seq", 22_190_489, 0.0103, 11_500.0),
    ("public.orders_id_seq", 4_812_908, 0.002, 9600.0),
    ("public.attachments_id_seq", 5_120_332, 0.002, 24_000.0),
    ("public.invoices_id_seq", 1_204_419, 0.0006, 29_000.0),
    ("public.customers_id_seq", 48_214, 0.00002, 99_000.0),
    ("public.shipments_id_seq", 811_205, 0.0004, 99_000.0),
    ("public.products_id_seq", 9_121, 0.000_004, 99_000.0),
    ("public.teams_id_seq", 1_189, 0.000_001, 99_000.0),
];

/// Ids handed out, from midnight on, in thousands: quiet at night, and two peaks by day.
const DAY: [u64; 24] = [31, 22, 15, 11, 9, 12, 24, 48, 77, 92, 98, 95, 88, 91, 96, 99, 93, 84, 80, 86, 90, 78, 60, 42];

/// The sequences of a database; each number gives others.
fn shop(number: usize) -> Vec<SequenceReport> {
    let share = 1.0 - (number * 37 % 101) as f64 / 110.0;
    let healthy = SHOP.map(|(name, next, used, days)| SequenceReport {
        next_value: Some((next as f64 * share) as i64),
        max_id: Some((next as f64 * share) as i64 - 1),
        used_ratio: Some(used * share),
        days_left: Some(days),
        ..in_sync(name)
    });
    healthy.into()
}

/// Gives a state a day: ids by the hour, some repairs, session stores that are swept.
fn with_a_day(mut state: DatabaseState, scale: u64) -> DatabaseState {
    let observed = Arc::make_mut(&mut state.observed);
    for hour in 0..24_u64 {
        let at = NOW - hour as f64 * 3600.0;
        let busy = DAY[((at / 3600.0) as u64 % 24) as usize];
        observed.day.count(at, |counts| (counts.ids, counts.ended) = (busy * 700 * scale, busy * scale));
    }
    let repair = LastRepair { at: NOW - 15.0, cause: Some(Cause::IdsInserted) };
    observed.record_repair("public.orders_id_seq", repair);
    observed.record_repair("public.invoices_id_seq", LastRepair { at: NOW - 40_000.0, cause: Some(Cause::Rewound) });
    let store = SessionReport {
        name: "logins".to_owned(),
        table: "public.user_sessions".to_owned(),
        expired: 31,
        live: Some(18_204),
        stale: Some(12),
        ..SessionReport::default()
    };
    state.sweeps.interval = Some(300.0);
    state.sweeps.swept_at.insert("logins".to_owned(), NOW - 125.0);
    state.sweeps.ended.insert("logins".to_owned(), Arc::new(observed.day.clone()));
    state.sweeps.stores.insert("logins".to_owned(), store);
    state
}

fn with_history(mut snapshot: Snapshot, databases: [&str; 3]) -> Snapshot {
    let repaired = |sequence: &str, cause: Cause, from, to| {
        HistoryEvent::Repaired {
        sequence: sequence.to_owned(),
        cause: Some(cause),
        lag: None,
        from: Some(from),
        to: Some(to),
        who: (cause == Cause::IdsInserted).then(|| {
            "as far as the server tells, by INSERT with the column of role etl (application import.py, from 10.20.0.17, 397 times)"
                .to_owned()
        }),
    }
    };
    let ended = |sweeps, expired| HistoryEvent::Ended { store: "logins".to_owned(), sweeps, expired, superseded: 14 };
    let mut add = |ago: f64, database: &str, event| snapshot.history.add(NOW - ago, database, event);
    for number in 0..9 {
        let name = format!("public.ledger_{number}_id_seq");
        add(70_000.0, databases[2], repaired(&name, Cause::Rewound, 1, 4_100 + number));
    }
    add(40_000.0, databases[1], repaired("public.invoices_id_seq", Cause::Rewound, 1_204_000, 1_204_377));
    add(7_000.0, databases[0], ended(12, 377));
    add(640.0, databases[0], repaired("public.orders_id_seq", Cause::IdsInserted, 4_811_480, 4_811_877));
    add(125.0, databases[0], ended(5, 198));
    add(15.0, databases[1], repaired("public.orders_id_seq", Cause::IdsInserted, 4_812_869, 4_812_908));
    for (ago, repairs) in [(0.0, 2), (40_000.0, 1), (70_000.0, 9), (30_000.0, 3)] {
        snapshot.day.count(NOW - ago, |hour| hour.repaired += repairs);
    }
    for state in snapshot.databases.values() {
        for hour in state.observed.day.hours(NOW) {
            snapshot.day.count(hour.hour as f64 * 3600.0, |counts| {
                counts.ids += hour.ids;
                counts.ended += hour.ended;
            });
        }
    }
    snapshot.day.count(NOW - 20_000.0, |hour| hour.failing = 1);
    snapshot
}

/// The sequence of the story, behind since three minutes.
fn story() -> SequenceReport {
    let column = "public.user_sessions.session_id".to_owned();
    let feeds = vec![FeedReport { column, link: Link::Serial, followed: false }];
    SequenceReport { feeds, nearest_id: Some(658), ..behind("public.user_sessions_session_id_seq") }
}

/// Since when its sequences need attention.
fn since(mut state: DatabaseState, seconds: f64) -> DatabaseState {
    if let Some(report) = state.report.clone() {
        Arc::make_mut(&mut state.observed).record_pass(NOW - seconds, None, &report);
    }
    state
}

fn far() -> SequenceReport {
    let far_ids = FarIds { count: Some(3), from: 2_000_000_000, to: Some(2_000_000_002), distance: 1_999_951_787 };
    let mut far = SequenceReport {
        next_value: Some(48_213),
        max_id: Some(2_000_000_002),
        lag: Some(0),
        far_ids: Some(Box::new(far_ids)),
        ..behind("public.customers_id_seq")
    };
    if let Some(repair) = &mut far.repair {
        let fix = Fix::Command("pgmedic --once --database shop --approve public.customers_id_seq".to_owned());
        let text = "moving past them would use 93 % of the values left for 3 rows";
        repair.held_by = Some(HoldReason::FarIds);
        repair.reason = Some(Reason::new(ReasonKind::Limit, text).with_fix(fix));
    }
    far
}

fn incident() -> Snapshot {
    let mut app = shop(0);
    let widen = "ALTER TABLE public.ticks ALTER COLUMN id TYPE bigint; ALTER SEQUENCE public.ticks_id_seq AS bigint";
    let why = "its bound is reached: widen the column and the sequence, which rewrites the table";
    let ticks = SequenceReport {
        reason: Some(Reason::new(ReasonKind::Exhausted, why).with_fix(Fix::Sql(widen.to_owned()))),
        ..exhausted("public.ticks_id_seq")
    };
    app.extend([story(), ticks]);
    let mut items = vec![
        far(),
        SequenceReport {
            days_left: Some(6.4),
            limited_by: Some("public.line_item_taxes.line_item_id".to_owned()),
            reason: Some(
                Reason::new(ReasonKind::Limit, "a foreign key refers to it from a column that is an integer").with_fix(
                    Fix::Sql("ALTER TABLE public.line_item_taxes ALTER COLUMN line_item_id TYPE bigint".to_owned()),
                ),
            ),
            next_value: Some(2_020_782_112),
            max_id: Some(2_020_782_111),
            ..running_out("public.line_items_id_seq")
        },
    ];
    items.extend(shop(3));
    let mut databases = vec![
        ("app", since(with_a_day(checked(app), 2), 216.0)),
        ("shop", since(with_a_day(checked(items), 3), 190_000.0)),
        ("legacy", refused(61)),
    ];
    let names = [
        "accounts",
        "admin",
        "ads",
        "analytics",
        "auth",
        "billing",
        "blog",
        "catalog",
        "cms",
        "crm",
        "docs",
        "events",
        "feeds",
        "forum",
        "geo",
        "hr",
        "identity",
        "inbox",
        "jobs",
        "kiosk",
        "ledger",
        "mail",
        "maps",
        "metrics",
        "notify",
        "orders_eu",
        "partners",
        "payroll",
        "pim",
        "pos",
        "press",
        "quotes",
        "reports",
        "search",
        "staging",
        "support",
        "survey",
        "tickets",
        "vendors",
        "wiki",
    ];
    databases.extend(names.iter().enumerate().map(|(number, name)| (*name, checked(shop(number + 1)))));
    let mut snapshot = with_history(snapshot(databases), ["app", "crm", "ledger"]);
    let failing = HistoryEvent::Failing {
        sequence: "public.user_sessions_session_id_seq".to_owned(),
        lag: Some(38),
        exhausted: false,
        held_by: Some(HoldReason::Privilege),
        cause: Some(Cause::IdsInserted),
        who: None,
    };
    snapshot.history.add(NOW - 216.0, "app", failing);
    snapshot.day.count(NOW, |hour| hour.failing = 2);
    snapshot
}

fn fleet() -> Snapshot {
    let mut databases: Vec<(&'static str, DatabaseState)> = Vec::new();
    for number in 0..1000 {
        let name: &'static str = Box::leak(format!("tenant_{number:04}").into_boxed_str());
        let mut sequences = shop(number);
        let state = match number {
            417 => {
                sequences.push(story());
                since(checked(sequences), 216.0)
            }
            733 => {
                sequences.push(SequenceReport { days_left: Some(6.4), ..running_out("public.line_items_id_seq") });
                checked(sequences)
            }
            911 => refused(47),
            _ => checked(sequences),
        };
        databases.push((name, state));
    }
    with_history(snapshot(databases), ["tenant_0417", "tenant_0128", "tenant_0733"])
}

#[test]
fn every_state_of_a_believable_day_is_rendered() {
    let calm = || with_history(snapshot([("app", with_a_day(checked(shop(0)), 2))]), ["app"; 3]);
    let pages = [
        ("calm", calm(), ""),
        ("incident", incident(), ""),
        ("fleet", fleet(), ""),
        ("fleet-list", fleet(), "databases=2"),
        ("standby", snapshot([("app", standby()), ("shop", standby())]), ""),
        ("starting", snapshot([("app", DatabaseState::default())]), ""),
        ("empty", snapshot([("app", checked(Vec::new()))]), ""),
        ("unreachable", snapshot([("legacy", refused(61))]), ""),
    ];
    let folder = std::env::var_os("PGMEDIC_SAMPLE_PAGES");
    for (name, snapshot, query) in pages {
        let html = view::render(&snapshot, 1, &SearchQuery::read(query)).into_string();
        assert!(html.starts_with("<!DOCTYPE html>") && html.len() < 150_000, "{name}: {} bytes", html.len());
        if let Some(folder) = &folder {
            let folder = Path::new(folder);
            fs::create_dir_all(folder.join("assets")).unwrap();
            fs::write(folder.join(format!("{name}.html")), html).unwrap();
            let links = Links::new();
            for (link, text) in [
                (links.stylesheet, include_str!("assets/status.css")),
                (links.script, include_str!("assets/status.js")),
            ] {
                fs::write(folder.join(link.split('?').next().unwrap()), text).unwrap();
            }
        }
    }
}
