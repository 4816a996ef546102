//! Several repairs of one sequence at the same time.

use super::run::{TARGETS, race_tables, repair};
use pgmedic::report::{Outcome, Verdict};
use pgmedic_core::sequence::Method;
use sqlx::postgres::PgConnection;
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const ROUNDS: usize = 6;

/// Every value of a sequence goes to a user, was unusable (not beyond an id that was inserted ahead), or was burnt by a
/// repair. Two repairs that see the same drift burn at most one value: the one by which the slower repair notices that
/// it is done.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_repairers_beside_users_of_nextval_rewind_nothing_and_burn_next_to_nothing() {
    let mut database = race_tables().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut users = Vec::new();
    for _ in 0..3 {
        users.push(tokio::spawn(user(database.connect().await, Arc::clone(&stop))));
    }
    let first = positions(&mut database.connection).await;
    let mut unusable: [Vec<std::ops::RangeInclusive<i64>>; TARGETS.len()] = Default::default();
    let mut advances = 0;
    for _ in 0..ROUNDS {
        let before = positions(&mut database.connection).await;
        for (place, target) in TARGETS.iter().enumerate() {
            let id = target.put_ahead(&mut database.connection).await;
            unusable[place].push(before[place].min(id)..=before[place].max(id));
        }
        let (one, other) = tokio::join!(repair(&database), repair(&database));
        for finding in one.iter().chain(&other) {
            assert!(matches!(finding.verdict, Verdict::InSync | Verdict::Behind), "{:?}", finding.reason);
            let Some(repair) = &finding.repair else { continue };
            assert_eq!(repair.outcome, Outcome::Repaired, "{}: {:?}", finding.name, repair.reason);
            advances += usize::from(repair.method == Some(Method::Advance));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let mut taken: [HashSet<i64>; TARGETS.len()] = Default::default();
    for user in users {
        let (values, rewinds) = user.await.expect("a user");
        assert_eq!(rewinds, 0);
        for (taken, values) in taken.iter_mut().zip(values) {
            for value in values {
                assert!(taken.insert(value), "{value} was given twice");
            }
        }
    }
    let last = positions(&mut database.connection).await;
    for (place, target) in TARGETS.iter().enumerate().filter(|(_, target)| target.table != "cached") {
        let mut value = first[place] + target.increment;
        let mut burnt = 0;
        while (last[place] - value) * target.increment >= 0 {
            let explained = taken[place].contains(&value) || unusable[place].iter().any(|range| range.contains(&value));
            burnt += usize::from(!explained);
            value += target.increment;
        }
        let allowed = if target.table == "far" { 0 } else { advances };
        println!("{}: {burnt} burnt, {advances} advances", target.table);
        assert!(burnt <= allowed, "{}: {burnt} values burnt by {advances} advances", target.table);
    }
}

async fn positions(connection: &mut PgConnection) -> Vec<i64> {
    let looks: Vec<String> =
        TARGETS.iter().map(|target| format!("(SELECT last_value FROM {})", target.sequence())).collect();
    let look = AssertSqlSafe(format!("SELECT ARRAY[{}]", looks.join(", ")));
    sqlx::query(look).fetch_one(connection).await.expect("a look").get(0)
}

/// Calls `nextval` as an inline retry does. Returns the values, and how often one was not beyond the one before.
async fn user(mut connection: PgConnection, stop: Arc<AtomicBool>) -> ([Vec<i64>; TARGETS.len()], usize) {
    let mut values: [Vec<i64>; TARGETS.len()] = Default::default();
    let mut rewinds = 0;
    while !stop.load(Ordering::Relaxed) {
        for (target, values) in TARGETS.iter().zip(&mut values) {
            let next = AssertSqlSafe(format!("SELECT nextval('{}')", target.sequence()));
            let value: i64 = sqlx::query(next).fetch_one(&mut connection).await.expect("a value").get(0);
            rewinds += usize::from(values.last().is_some_and(|last| (value - last) * target.increment <= 0));
            values.push(value);
        }
    }
    (values, rewinds)
}
