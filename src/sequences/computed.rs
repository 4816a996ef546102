//! Columns whose ids are computed from a sequence's values, and columns of a sequence that cycles: these are not repaired. What
//! the next values would run into is looked at, one by one, and said.

use super::batch_plan::{Batch, BatchPlan};
use super::keys::read_keys;
use crate::db::BoundedConnection;
use crate::report::SequenceReport;
use pgmedic_core::sequence::computed_column::TakenValues;
use pgmedic_core::sequence::model::{ComputedColumn, FeedSource, Sequence};
use pgmedic_core::sequence::probe::{Probe, ProbePart, fits_in_transaction};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use sqlx::Row;
use std::sync::Arc;

const EXPRESSIONS: &str = include_str!("computed_expressions.sql");

/// One of these columns, and whose it is.
struct Candidate<'a> {
    /// Index into the sequences.
    index: usize,
    sequence: &'a Sequence,
    column: ComputedColumn,
}

/// Adds to `reports`, in the order of `sequences`, where the next values make ids that are taken. Returns how often each of
/// the sequences was read for this.
pub async fn look_at_computed(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    reports: &mut [Arc<SequenceReport>],
    timeouts: Timeouts,
) -> Vec<u32> {
    let mut reads = vec![0; sequences.len()];
    let candidates: Vec<Candidate<'_>> =
        sequences.iter().enumerate().flat_map(|(index, sequence)| candidates(index, sequence)).collect();
    let connection = connections.iter_mut().find(|connection| connection.lost().is_none());
    let Some(connection) = connection.filter(|_| !candidates.is_empty()) else { return reads };
    let candidates = match where_inserts_fail(connection, candidates, timeouts).await {
        Ok(candidates) => candidates,
        Err(error) => {
            tracing::debug!(%error, "the keys and defaults of computed columns are not known");
            return reads;
        }
    };
    for (Candidate { index, sequence, column }, id) in candidates {
        reads[index] += 1;
        let report = Arc::make_mut(&mut reports[index]);
        match taken_values(connection, sequence, &column, &id, timeouts).await {
            Ok(taken) => add_finding(report, sequence, &column, &taken),
            Err(error) => {
                let name = column.source.column_name();
                report.add_reason(Reason::from(error).while_doing(&format!("the ids of {name} were not looked at")));
            }
        }
    }
    reads
}

/// The columns of these sequences that are looked at here, each with its sequence.
///
/// # Errors
///
/// When their keys cannot be read.
pub async fn computed_columns<'a>(
    connection: &mut BoundedConnection,
    sequences: &'a [Sequence],
    timeouts: Timeouts,
) -> Result<Vec<(&'a Sequence, FeedSource)>, QueryError> {
    let candidates = sequences.iter().flat_map(|sequence| candidates(0, sequence)).collect();
    let looked_at = with_keys(connection, candidates, timeouts).await?;
    Ok(looked_at.into_iter().map(|candidate| (candidate.sequence, candidate.column.source)).collect())
}

fn candidates<'a>(index: usize, sequence: &'a Sequence) -> impl Iterator<Item = Candidate<'a>> {
    let cycling = sequence.sources().filter(|_| sequence.parameters.cycle).filter_map(same_value);
    let readable = sequence.rare.problem.is_none();
    let columns = sequence.rare.computed.iter().cloned().chain(cycling).filter(move |_| readable);
    columns.filter(|column| fits_in_transaction(1 + column.source.relations)).map(move |column| Candidate {
        index,
        sequence,
        column,
    })
}

/// A column whose ids are the values themselves.
fn same_value(source: &FeedSource) -> Option<ComputedColumn> {
    let readable = source.rare.by_member.is_none() && !source.allocator().takes_blocks();
    let type_name = if source.numeric { "pg_catalog.numeric" } else { "pg_catalog.int8" }.to_owned();
    readable.then(|| ComputedColumn { source: source.clone(), type_name, default: None })
}

/// Those columns in which a taken id makes an insert fail and is found by an index.
async fn with_keys<'a>(
    connection: &mut BoundedConnection,
    candidates: Vec<Candidate<'a>>,
    timeouts: Timeouts,
) -> Result<Vec<Candidate<'a>>, QueryError> {
    let sources: Vec<&FeedSource> = candidates.iter().map(|candidate| &candidate.column.source).collect();
    let keys = read_keys(connection, &sources, timeouts).await?;
    let failing = candidates.into_iter().zip(keys).filter(|(_, keys)| keys.unique && keys.indexed);
    Ok(failing.map(|(candidate, _)| candidate).collect())
}

/// The same, each with what is made of `v.id`.
async fn where_inserts_fail<'a>(
    connection: &mut BoundedConnection,
    candidates: Vec<Candidate<'a>>,
    timeouts: Timeouts,
) -> Result<Vec<(Candidate<'a>, String)>, QueryError> {
    let failing = with_keys(connection, candidates, timeouts).await?;
    if failing.is_empty() {
        return Ok(Vec::new());
    }
    let column = |of: fn(&Candidate<'a>) -> String| failing.iter().map(of).collect::<Vec<String>>();
    let arrays = [
        column(|of| of.column.source.table_oid.to_string()),
        column(|of| of.column.source.column().to_owned()),
        column(|of| of.sequence.oid.to_string()),
        column(|of| of.column.default.clone().unwrap_or_default()),
        column(|_| String::new()),
    ];
    let mut expressions: Vec<Option<String>> = Vec::with_capacity(failing.len());
    let each = |row: sqlx::postgres::PgRow| {
        expressions.push(row.try_get("expression")?);
        Ok(())
    };
    connection.query("defaults", timeouts, EXPRESSIONS, arrays, each).await?;
    let with_id = failing.into_iter().zip(expressions).filter_map(|(candidate, expression)| {
        let id = if candidate.column.default.is_some() { expression? } else { "v.id".to_owned() };
        Some((candidate, id))
    });
    Ok(with_id.collect())
}

async fn taken_values(
    connection: &mut BoundedConnection,
    sequence: &Sequence,
    column: &ComputedColumn,
    id: &str,
    timeouts: Timeouts,
) -> Result<TakenValues, QueryError> {
    let part = ProbePart { source: &column.source, member: None, own_values: None };
    let batch = Batch::single(Probe { sequence: 0, parts: vec![part], block: None });
    let read = column.sql(sequence, id);
    let plan = BatchPlan::of_one_read(&batch, sequence, read, connection.server(), timeouts);
    let statements: Vec<String> = plan.statements().cloned().collect();
    let result = connection.run_transaction("computed", plan.mode, plan.timeouts, statements).await;
    TakenValues::read(&result.into_rows()?)
}

fn add_finding(report: &mut SequenceReport, sequence: &Sequence, column: &ComputedColumn, seen: &TakenValues) {
    let lag = seen.lag(sequence.parameters.cycle);
    let (Some(next), Some(lag), Some(nearest)) = (seen.next_value, lag, seen.taken.first()) else { return };
    report.next_value = report.next_value.or(Some(next));
    report.lag = report.lag.max(Some(lag.into()));
    let name = column.source.column_name();
    let text = match nearest {
        0 => format!("the next value {next} makes an id that {name} holds already: inserts fail"),
        free => {
            format!("after {free} more values, the next one makes an id that {name} holds already: inserts will fail")
        }
    };
    let text = format!("{text}; pgmedic does not move this sequence: pass the {lag} values");
    // Handing values out never sets it back.
    let pass = format!(
        "SELECT pg_catalog.count(pg_catalog.nextval({})) FROM pg_catalog.generate_series(1, {lag})",
        quote_literal(&sequence.name)
    );
    report.add_reason(Reason::new(ReasonKind::IdTaken, text).with_fix(Fix::Sql(pass)));
}
