//! The pass over the stores of one database, one after the other.

use super::deadline::Deadline;
use super::pass_state::SessionPassState;
use super::store_pass::{Swept, empty_report, pass_over_store};
use crate::config::{Database, SessionStoreConfig};
use crate::db::budget::Purpose;
use crate::db::{BoundedConnection, ConnectTarget};
use crate::pass_options::PassOptions;
use crate::report::SessionReport;
use pgmedic_core::{Reason, Timeouts};
use std::time::Instant;

/// One pass over these stores of one database. There is one report for each store, and errors are in it. `state` is what
/// the previous pass left, and is updated for the next.
pub async fn pass(
    database: &Database,
    stores: &[&SessionStoreConfig],
    timeouts: Timeouts,
    options: &PassOptions,
    state: &mut SessionPassState,
) -> Vec<SessionReport> {
    if stores.is_empty() {
        return Vec::new();
    }
    let mut connection = match connect(database, timeouts, options).await {
        Ok(connection) => connection,
        Err(reason) => return unreachable_reports(stores, &reason),
    };
    let mut swept = Vec::with_capacity(stores.len());
    for store in stores {
        let found = pass_over_store(&mut connection, store, timeouts, options, state).await;
        tracing::debug!(database = database.name.as_str(), store = store.name, expired = found.report.expired, "swept");
        swept.push(found);
    }
    if !state.is_lasting() {
        sweep_again(&mut connection, stores, &mut swept, timeouts, options).await;
    }
    let mut reports: Vec<SessionReport> = swept.into_iter().map(|swept| swept.report).collect();
    if database.among_several {
        reports.iter_mut().for_each(|report| report.name_database(database.name.as_str()));
    }
    if connection.lost().is_none() {
        connection.close().await;
    }
    reports
}

/// Sweeps the stores again whose sessions are kept by rows that refer to them, for as long as that ends any session: what
/// was ended since may have been such a row.
async fn sweep_again(
    connection: &mut BoundedConnection,
    stores: &[&SessionStoreConfig],
    swept: &mut [Swept],
    timeouts: Timeouts,
    options: &PassOptions,
) {
    let started = Instant::now();
    let mut ended_before: u64 = swept.iter().map(Swept::ended).sum();
    let mut ended_again = 0;
    while ended_before > 0 && !options.cancel.is_cancelled() {
        ended_before = 0;
        for (store, swept) in stores.iter().zip(swept.iter_mut()).filter(|(_, swept)| swept.is_referred_to) {
            let is_up = Deadline::new(store.sweep_timeout, false).is_up(started.elapsed(), ended_again);
            if is_up || connection.lost().is_some() {
                continue;
            }
            let again = pass_over_store(connection, store, timeouts, options, &mut SessionPassState::default()).await;
            let ended = again.ended();
            ended_before += ended;
            ended_again += ended;
            // Else the sweep before says more: it tried all of them.
            if ended > 0 {
                let SessionReport { expired, superseded, duration_seconds, approved, .. } = swept.report;
                *swept = again;
                swept.report.expired += expired;
                swept.report.superseded += superseded;
                swept.report.duration_seconds += duration_seconds;
                swept.report.approved |= approved;
            }
        }
    }
}

async fn connect(database: &Database, timeouts: Timeouts, options: &PassOptions) -> Result<BoundedConnection, Reason> {
    let target = ConnectTarget { purpose: Purpose::Sweep, ..database.connect_options()? };
    let connected = BoundedConnection::connect(&target, timeouts, &options.cancel).await;
    Ok(connected?)
}

/// The reports of stores that could not be looked at.
pub fn unreachable_reports(stores: &[&SessionStoreConfig], reason: &Reason) -> Vec<SessionReport> {
    stores.iter().map(|store| SessionReport { error: Some(reason.clone()), ..empty_report(store) }).collect()
}
