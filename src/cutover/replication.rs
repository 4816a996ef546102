//! Reads how rows get from the one database to the other: subscriptions, and the slots that feed them.

use super::report::SubscriptionReport;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Reason, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What is known of the subscriptions of one database.
#[derive(Debug, Default)]
pub struct Subscriptions {
    pub found: Vec<SubscriptionReport>,
    /// What each of PostgreSQL's own subscribes to.
    pub subscribed: Vec<Subscribed>,
    /// What could not be read.
    pub unread: Vec<Reason>,
}

/// What a subscription subscribes to.
#[derive(Debug)]
pub struct Subscribed {
    pub subscription: String,
    pub publications: Vec<String>,
    /// Each with its schema, both always in quotes.
    pub tables: Vec<String>,
}

/// A logical slot, and how far its subscriber is behind it.
#[derive(Debug)]
pub struct Slot {
    pub name: String,
    pub active: bool,
    /// Bytes of the log up to the mark that the subscriber has not confirmed.
    pub behind_mark: i64,
    /// The same up to now.
    pub behind: i64,
}

/// The subscriptions of this database: PostgreSQL's own, and those of pglogical.
pub async fn subscriptions(connection: &mut BoundedConnection, side: &str, timeouts: Timeouts) -> Subscriptions {
    let mut subscriptions = Subscriptions::default();
    let own = query(connection, &fill_sql::<&str>(include_str!("subscriptions.sql"), &[]), timeouts).await;
    let subscribed = |row: &PgRow| {
        Some(Subscribed {
            subscription: row.try_get("name").ok()?,
            publications: row.try_get("publications").ok()?,
            tables: row.try_get("tables").ok()?,
        })
    };
    subscriptions.subscribed = own.iter().flatten().filter_map(subscribed).collect();
    subscriptions.add(own, "logical", side);
    let installed = query(connection, &fill_sql::<&str>(include_str!("pglogical_installed.sql"), &[]), timeouts).await;
    match installed.as_deref() {
        Ok([row]) if row.try_get("installed").unwrap_or(false) => {
            let theirs =
                query(connection, &fill_sql::<&str>(include_str!("pglogical_subscriptions.sql"), &[]), timeouts).await;
            subscriptions.add(theirs, "pglogical", side);
        }
        Ok(_) => {}
        Err(error) => subscriptions.add(Err(error.clone()), "pglogical", side),
    }
    subscriptions
}

impl Subscriptions {
    fn add(&mut self, rows: Result<Vec<PgRow>, QueryError>, kind: &'static str, side: &str) {
        let read =
            rows.and_then(|rows| rows.iter().map(|row| read_subscription(row, kind)).collect::<Result<Vec<_>, _>>());
        match read {
            Ok(found) => self.found.extend(found),
            Err(error) => {
                let what = format!("the {kind} subscriptions of {side} cannot be read");
                self.unread.push(Reason::from(error).while_doing(&what));
            }
        }
    }
}

fn read_subscription(row: &PgRow, kind: &'static str) -> Result<SubscriptionReport, QueryError> {
    Ok(SubscriptionReport {
        name: row.try_get("name")?,
        kind,
        enabled: row.try_get("enabled")?,
        slot: row.try_get("slot")?,
        working: row.try_get("working")?,
        unready_tables: row.try_get("unready")?,
        unready_names: row.try_get("unready_tables")?,
        from_old: None,
        lag_bytes: None,
        behind_mark: None,
    })
}

/// The end of the log now: what was written before it lies before this position.
///
/// # Errors
///
/// When it cannot be read.
pub async fn mark(connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<String, QueryError> {
    let sql = "SELECT (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() \
               ELSE pg_current_wal_insert_lsn() END)::text";
    let rows = query(connection, sql, timeouts).await?;
    let row = rows.first().ok_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))?;
    Ok(row.try_get(0)?)
}

/// The logical slots of this database.
///
/// # Errors
///
/// When they cannot be read.
pub async fn slots(
    connection: &mut BoundedConnection,
    mark: &str,
    timeouts: Timeouts,
) -> Result<Vec<Slot>, QueryError> {
    let mark = format!("{}::pg_lsn", pgmedic_core::quote_literal(mark));
    let sql = fill_sql(include_str!("slots.sql"), &[("MARK", &mark)]);
    let rows = query(connection, &sql, timeouts).await?;
    let slot = |row: &PgRow| {
        Ok(Slot {
            name: row.try_get("slot")?,
            active: row.try_get("active")?,
            behind_mark: row.try_get("behind_mark")?,
            behind: row.try_get("behind")?,
        })
    };
    rows.iter().map(slot).collect()
}

/// One statement in a transaction that reads.
///
/// # Errors
///
/// When it fails.
pub async fn query(
    connection: &mut BoundedConnection,
    sql: &str,
    timeouts: Timeouts,
) -> Result<Vec<PgRow>, QueryError> {
    let result = connection.run_transaction("replication", TransactionMode::Read, timeouts, [sql]).await;
    result.into_rows()
}
