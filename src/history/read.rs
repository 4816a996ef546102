//! Checks the log, and reads its newest entries.

use super::filter::SequenceFilter;
use super::report::HistoryEntry;
use crate::config::Database;
use crate::db::{BoundedConnection, TransactionMode};
use crate::sequences::{REPAIR_LOG_CHECK, repair_log_install_fix};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;
use tokio_util::sync::CancellationToken;

/// Every sequence that the log has an entry about.
const NAMES: &str = "SELECT DISTINCT e.sequence FROM ONLY pgmedic.repair_log e";

/// At most `limit` entries, the newest first, and whether there are more.
///
/// # Errors
///
/// Why the log cannot be read.
pub async fn read(
    database: &Database,
    timeouts: Timeouts,
    filter: &SequenceFilter,
    limit: u32,
) -> Result<(Vec<HistoryEntry>, bool), Reason> {
    let target = database.connect_options()?;
    let mut connection = BoundedConnection::connect(&target, timeouts, &CancellationToken::new()).await?;
    let read = read_log(&mut connection, timeouts, filter, limit).await;
    if connection.lost().is_none() {
        connection.close().await;
    }
    let mut entries = read?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    Ok((entries, more))
}

async fn read_log(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    filter: &SequenceFilter,
    limit: u32,
) -> Result<Vec<HistoryEntry>, Reason> {
    let failed = |error: &QueryError| Reason::from(error).while_doing("reading pgmedic.repair_log failed");
    let table = answer(connection, REPAIR_LOG_CHECK, timeouts).await.map_err(|error| failed(&error))?;
    check(table.first(), &connection.server().role)?;
    let mut parameters: [Vec<String>; 5] = Default::default();
    if matches!(filter, SequenceFilter::All) {
        parameters[1].push("all".to_owned());
    } else {
        let names = answer(connection, NAMES, timeouts).await.map_err(|error| failed(&error))?;
        let names = names.iter().filter_map(|row| row.try_get::<String, _>(0).ok());
        parameters[0].extend(names.filter(|name| filter.matches(name)));
    }
    let one_more = u64::from(limit) + 1;
    let statement = fill_sql(include_str!("entries.sql"), &[("LIMIT", one_more.to_string())]);
    let mut entries = Vec::new();
    let each = |row: PgRow| {
        entries.push(entry(&row)?);
        Ok(())
    };
    connection.query("history", timeouts, &statement, parameters, each).await.map_err(|error| failed(&error))?;
    Ok(entries)
}

/// Whether the table is there, as it was installed, and readable.
fn check(table: Option<&PgRow>, role: &str) -> Result<(), Reason> {
    let install = repair_log_install_fix(role);
    let Some(table) = table else {
        let text = "pgmedic.repair_log is not installed, so nothing is recorded of what happened to sequences; what is \
                    repaired from now on is recorded after";
        return Err(Reason::new(ReasonKind::RepairLog, text).with_fix(install));
    };
    let is = |column: &str| table.try_get::<bool, _>(column).map_err(|error| Reason::from(&QueryError::from(error)));
    if !is("plain")? {
        let text = "pgmedic.repair_log is not as this version installs it, so it is not read; where an earlier version \
                    installed it, installing again adds what is missing";
        return Err(Reason::new(ReasonKind::RepairLog, text).with_fix(install));
    }
    if !is("readable")? {
        let fix =
            format!("GRANT USAGE ON SCHEMA pgmedic TO {role}; GRANT SELECT ON TABLE pgmedic.repair_log TO {role}");
        let reason = Reason::new(ReasonKind::MissingPrivilege, "pgmedic.repair_log cannot be read");
        return Err(reason.with_fix(Fix::Sql(fix)));
    }
    Ok(())
}

fn entry(row: &PgRow) -> Result<HistoryEntry, QueryError> {
    let evidence: Option<String> = row.try_get("evidence")?;
    Ok(HistoryEntry {
        at: row.try_get("at")?,
        sequence: row.try_get("sequence")?,
        source: row.try_get("source")?,
        role: row.try_get("role")?,
        outcome: row.try_get("outcome")?,
        from_value: row.try_get("from_value")?,
        to_value: row.try_get("to_value")?,
        charged: row.try_get("charged")?,
        early: row.try_get("early")?,
        cause: row.try_get("cause")?,
        evidence: evidence.and_then(|evidence| serde_json::from_str(&evidence).ok()),
    })
}

async fn answer(
    connection: &mut BoundedConnection,
    statement: &str,
    timeouts: Timeouts,
) -> Result<Vec<PgRow>, QueryError> {
    connection.run_transaction("history", TransactionMode::Read, timeouts, [statement]).await.into_rows()
}
