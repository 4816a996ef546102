//! Sequences, figures and events of a believable day.

use crate::db::budget::ServerConnections;
use crate::http::status::model::Snapshot;
use crate::http::status::model::test_support::{NOW, behind, in_sync};
use crate::report::{Cause, DatabaseLabel, SequenceReport, SessionReport};
use crate::state::{DatabaseState, HistoryEvent, LastRepair, NamedServer};
use pgmedic_core::sequence::{FeedReport, Link};
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
pub fn shop(number: usize) -> Vec<SequenceReport> {
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
pub fn with_a_day(mut state: DatabaseState, scale: u64) -> DatabaseState {
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

pub fn with_history(mut snapshot: Snapshot, databases: [&str; 3]) -> Snapshot {
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
pub fn story() -> SequenceReport {
    let column = "public.user_sessions.session_id".into();
    let feeds = [FeedReport { column, link: Link::Serial, followed: None }].into();
    SequenceReport { feeds, nearest_id: Some(658), ..behind("public.user_sessions_session_id_seq") }
}

/// Since when its sequences need attention.
pub fn since(mut state: DatabaseState, seconds: f64) -> DatabaseState {
    if let Some(report) = state.report.clone() {
        Arc::make_mut(&mut state.observed).record_pass(NOW - seconds, None, &report);
    }
    state
}

/// A database of a server, by its whole name.
pub fn on(server: &str, database: &str, state: DatabaseState) -> (String, DatabaseState) {
    let label = DatabaseLabel::of_server(server, database);
    (label.to_string(), DatabaseState { discovered: Some(label), ..state })
}

/// With the connections to servers of these names.
pub fn with_servers(snapshot: Snapshot, names: &[&str]) -> Snapshot {
    let connections = |index: usize, name: &str| ServerConnections {
        server: format!("{name}.prod.example:5432"),
        open: 3 + u32::from(index % 2 == 1),
        standing: 1,
        max: 4,
    };
    let known: Vec<ServerConnections> =
        names.iter().enumerate().map(|(index, name)| connections(index, name)).collect();
    let named = names
        .iter()
        .zip(&known)
        .map(|(name, known)| NamedServer { name: (*name).to_owned(), connections: Some(known.clone()) });
    Snapshot { named_servers: named.collect(), servers: known, ..snapshot }
}
