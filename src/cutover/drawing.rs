//! Columns that a sequence fills in OLD, and that nothing fills in NEW: there the first insert fails.

use super::definitions::columns;
use super::pairs::Pair;
use super::report::CarryReport;
use super::request::Request;
use super::sides::Side;
use crate::db::BoundedConnection;
use pgmedic_core::name::QuotedIdent;
use pgmedic_core::sequence::Link;
use pgmedic_core::{ColumnName, Fix, QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use sqlx::Row;

/// Adds to `reports` which columns that OLD fills nothing fills in NEW. A column that NEW does not have is another matter.
///
/// # Errors
///
/// When a catalog cannot be read.
pub async fn compare_drawing(
    old: &mut Side,
    new: &mut Side,
    pairs: &[Pair<'_>],
    request: &Request,
    reports: &mut [CarryReport],
) -> Result<(), Reason> {
    let fed = pairs.iter().enumerate().filter(|(_, pair)| pair.new.is_some());
    let fed: Vec<(usize, ColumnName)> = fed
        .flat_map(|(index, pair)| columns(pair.old, |link| link != Link::Declared).map(move |column| (index, column)))
        .collect();
    if fed.is_empty() {
        return Ok(());
    }
    let here: Vec<ColumnName> = fed.iter().map(|(_, column)| column.clone()).collect();
    let there: Vec<ColumnName> = here.iter().map(|column| request.map.column(column)).collect();
    let timeouts = request.settings.bounds();
    let failed = |error: QueryError| Reason::from(error).while_doing("what fills the columns cannot be read");
    let in_old = draws(&mut old.connections, &here, timeouts).await.map_err(failed)?;
    let in_new = draws(&mut new.connections, &there, timeouts).await.map_err(failed)?;
    for (nth, (index, _)) in fed.iter().enumerate() {
        if (in_old[nth], in_new[nth]) != (Some(true), Some(false)) {
            continue;
        }
        let (report, column) = (&mut reports[*index], &there[nth]);
        let text =
            format!("it fills {column} in OLD, and nothing fills that column in NEW: inserts without an id fail");
        let default = format!(
            "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT nextval({})",
            column.table,
            QuotedIdent(&column.column),
            quote_literal(&report.name)
        );
        let reason = Reason::new(ReasonKind::Definition, text).with_fix(Fix::Sql(default));
        if request.confirmed { &mut report.notes } else { &mut report.reasons }.push(reason);
    }
    Ok(())
}

/// Whether a default or an identity fills each column; none where it does not exist.
async fn draws(
    connections: &mut [BoundedConnection],
    columns: &[ColumnName],
    timeouts: Timeouts,
) -> Result<Vec<Option<bool>>, QueryError> {
    let mut found = vec![None; columns.len()];
    let Some(connection) = connections.first_mut() else { return Ok(found) };
    let part =
        |of: fn(&ColumnName) -> &String| columns.iter().map(|column| of(column).clone()).collect::<Vec<String>>();
    let empty = || vec![String::new(); columns.len()];
    let parameters =
        [part(|one| &one.table.schema), part(|one| &one.table.name), part(|one| &one.column), empty(), empty()];
    let sql = include_str!("drawing.sql");
    connection
        .query("drawing", timeouts, sql, parameters, |row| {
            let nth: i64 = row.try_get("nth")?;
            if let Some(place) = usize::try_from(nth - 1).ok().and_then(|nth| found.get_mut(nth)) {
                *place = Some(row.try_get("draws")?);
            }
            Ok(())
        })
        .await?;
    Ok(found)
}
