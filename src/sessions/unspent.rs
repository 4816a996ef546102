//! Rows to be deleted whose ids a sequence has yet to hand out, so that other rows would get them: the sweep is held. Of texts
//! that is said, and holds nothing.

use super::columns_check::count;
use super::context::StoreContext;
use super::reasons::explain_sweep_error;
use super::store::{GeneratedId, IdRows, ResolvedStore};
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts};
use sqlx::Row;

/// Rows to be deleted whose ids a sequence has yet to hand out.
#[derive(Debug)]
pub struct Unspent {
    /// The table, where the rows are not sessions themselves.
    pub table: Option<String>,
    /// Whether only some of that table's rows are deleted, and which is not known.
    pub is_whole_table: bool,
    /// How many, or the least that there are; none where that took too long.
    pub count: Option<u64>,
    /// The ids that were compared.
    pub ids: Vec<GeneratedId>,
}

impl Unspent {
    /// That rows to be deleted have ids that a sequence would hand out again.
    pub fn hold(&self, store: &ResolvedStore) -> Reason {
        let Self { table, is_whole_table, count, ids } = self;
        let sequences: Vec<&str> = ids.iter().map(|id| id.sequence.as_str()).collect();
        let sequences = sequences.join(" or ");
        let rows = match (table, is_whole_table) {
            (None, _) => "of the sessions that are over have ids".to_owned(),
            (Some(table), false) => format!("rows of {table} that are deleted with the sessions have ids"),
            (Some(table), true) => format!("rows of {table}, of which some are deleted with the sessions, have ids"),
        };
        let Some(count) = count else {
            let text = format!(
                "it takes longer than statement_timeout to tell whether any {rows} that {sequences} would hand out again; an index \
                 that begins with the column helps most, else raise sequences.statement_timeout"
            );
            return Reason::new(ReasonKind::IdsReissued, text);
        };
        let text = format!("{count} {rows} that would be handed out again, because {sequences} is behind");
        if ids.iter().any(|id| !id.is_repaired) {
            // No approval repairs it then.
            let fixes: Vec<String> =
                ids.iter().map(|id| id.repair_sql(table.as_deref().unwrap_or(&store.table))).collect();
            let text = format!("{text}, and repair = false keeps pgmedic from repairing it: repair it first");
            return Reason::new(ReasonKind::IdsReissued, text).with_fix(Fix::Sql(fixes.join("; ")));
        }
        let text = format!("{text}: repair it first");
        match ids.first() {
            Some(first) if ids.iter().all(|id| id.is_approvable) => {
                Reason::new(ReasonKind::IdsReissued, text).with_fix(Fix::approve(&first.sequence))
            }
            // Whether this role may repair it depends on how far it is behind.
            _ => Reason::new(ReasonKind::IdsReissued, format!("{text}, as its own reason in the report says")),
        }
    }
}

/// The rows to be deleted whose ids a sequence has yet to hand out. Where that takes too long for the sessions it is not
/// known, and each batch leaves them out all the same.
pub async fn count_unspent(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    most: u64,
    timeouts: Timeouts,
) -> Result<Vec<Unspent>, Reason> {
    let mut unspent = Vec::new();
    if context.resolved.missing_to_sweep.is_some() {
        return Ok(unspent);
    }
    let all = &context.resolved.ids;
    if let Some(query) = context.sql.count_unspent(most)
        && let Some(count @ 1..) = count_ids(connection, query, timeouts).await?
    {
        let ids = all.iter().filter(|id| id.rows == IdRows::Sessions).cloned().collect();
        unspent.push(Unspent { table: None, is_whole_table: false, count: Some(count), ids });
    }
    for id in all {
        let IdRows::Others(rows) = &id.rows else { continue };
        let query = context.sql.count_unspent_of_others(id, rows, most);
        let count = count_ids(connection, query, timeouts).await?;
        if count != Some(0) {
            let (table, ids) = (Some(rows.table.clone()), vec![id.clone()]);
            unspent.push(Unspent { table, is_whole_table: rows.join.is_none(), count, ids });
        }
    }
    Ok(unspent)
}

/// That sessions to be deleted have texts that a sequence has yet to make. What cannot be read, or not in time, is not known.
pub async fn unspent_texts(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    timeouts: Timeouts,
) -> Result<Vec<Reason>, Reason> {
    let mut warnings = Vec::new();
    for id in context.resolved.text_ids.iter().filter(|id| id.is_readable()) {
        let query = context.sql.count_unspent_texts(id);
        let result = connection.run_transaction("count texts", TransactionMode::Read, timeouts, [query]).await;
        if result.failure.as_ref().is_some_and(|error| !error.is_lost()) {
            continue;
        }
        let rows = result.into_rows().map_err(|error| explain_sweep_error(&error, timeouts))?;
        let Some(row) = rows.first() else { continue };
        let furthest: Option<i64> = row.try_get("furthest").map_err(QueryError::from)?;
        if let (unspent @ 1.., Some(furthest)) = (count(row, "unspent")?, furthest) {
            let text = format!(
                "{unspent} of the sessions that are over have a text in {} that {} has yet to make, and others would get them: move \
                 the sequence on; texts hold no sweep",
                id.column, id.sequence
            );
            let fix = Fix::Sql(id.repair_sql_up_to(furthest));
            warnings.push(Reason::new(ReasonKind::IdsReissued, text).with_fix(fix));
        }
    }
    Ok(warnings)
}

/// What this query counts; none where it takes too long.
async fn count_ids(
    connection: &mut BoundedConnection,
    query: String,
    timeouts: Timeouts,
) -> Result<Option<u64>, Reason> {
    let result = connection.run_transaction("count unspent", TransactionMode::Read, timeouts, [query]).await;
    match result.failure {
        None => {}
        Some(QueryError::QueryCanceled) => return Ok(None),
        Some(error) => return Err(explain_sweep_error(&error, timeouts)),
    }
    match result.answers.first().and_then(|rows| rows.first()) {
        Some(row) => Ok(Some(count(row, "unspent")?)),
        None => Err(QueryError::UnexpectedResponse("no ids were counted".to_owned()).into()),
    }
}
