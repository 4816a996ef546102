//! Forty-three databases on two servers. Some of them need attention.

use super::day::{on, shop, since, story, with_a_day, with_history, with_servers};
use crate::http::status::model::Snapshot;
use crate::http::status::model::test_support::{NOW, behind, checked, exhausted, refused, running_out, snapshot_of};
use crate::report::{Cause, FarIds, SequenceReport};
use crate::state::HistoryEvent;
use pgmedic_core::sequence::HoldReason;
use pgmedic_core::{Fix, Reason, ReasonKind};

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
        let fix = Fix::Command("pgmedic --once --database db2/shop --approve public.customers_id_seq".to_owned());
        let text = "moving past them would use 93 % of the values left for 3 rows";
        repair.held_by = Some(HoldReason::FarIds);
        repair.reason = Some(Reason::new(ReasonKind::Limit, text).with_fix(fix));
    }
    far
}

pub fn incident() -> Snapshot {
    let mut app = shop(0);
    let widen = "ALTER TABLE public.ticks ALTER COLUMN id TYPE bigint; ALTER SEQUENCE public.ticks_id_seq AS bigint";
    let why = "its bound is reached: widen the column and the sequence, which rewrites the table";
    let ticks = SequenceReport {
        reason: Some(Box::new(Reason::new(ReasonKind::Exhausted, why).with_fix(Fix::Sql(widen.to_owned())))),
        ..exhausted("public.ticks_id_seq")
    };
    app.extend([story(), ticks]);
    let mut items = vec![
        far(),
        SequenceReport {
            days_left: Some(6.4),
            limited_by: Some("public.line_item_taxes.line_item_id".into()),
            reason: Some(Box::new(
                Reason::new(ReasonKind::Limit, "a foreign key refers to it from a column that is an integer").with_fix(
                    Fix::Sql("ALTER TABLE public.line_item_taxes ALTER COLUMN line_item_id TYPE bigint".to_owned()),
                ),
            )),
            next_value: Some(2_020_782_112),
            max_id: Some(2_020_782_111),
            ..running_out("public.line_items_id_seq")
        },
    ];
    items.extend(shop(3));
    let mut databases = vec![
        on("db1", "app", since(with_a_day(checked(app), 2), 216.0)),
        on("db2", "shop", since(with_a_day(checked(items), 3), 190_000.0)),
        on("db2", "legacy", refused(61)),
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
    let server = |number: usize| if number < names.len() / 2 { "db1" } else { "db2" };
    databases
        .extend(names.iter().enumerate().map(|(number, name)| on(server(number), name, checked(shop(number + 1)))));
    let snapshot = with_servers(snapshot_of(databases), &["db1", "db2"]);
    let mut snapshot = with_history(snapshot, ["db1/app", "db1/crm", "db2/ledger"]);
    let failing = HistoryEvent::Failing {
        sequence: "public.user_sessions_session_id_seq".to_owned(),
        lag: Some(38),
        exhausted: false,
        held_by: Some(HoldReason::Privilege),
        cause: Some(Cause::IdsInserted),
        who: None,
    };
    snapshot.history.add(NOW - 216.0, "db1/app", failing);
    snapshot.day.count(NOW, |hour| hour.failing = 2);
    snapshot
}
