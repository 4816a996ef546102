//! Resolves a configured store against the catalog.

use super::columns::{Column, ResolveError, Table, TableColumns, is_now};
use super::effects::Effects;
use super::ids::GeneratedId;
use super::untrusted_code::{CodeState, touched_code_sql, untrusted_code_reason, untrusted_code_sql};
use super::{ExpiryColumn, PerUserLimit, ResolvedStore};
use crate::config::{Action, DeclaredId, ExpiryKind, SessionStoreConfig};
use crate::db::{BoundedConnection, TransactionMode};
use crate::sessions::reasons::explain_sweep_error;
use pgmedic_core::{ColumnName, QueryError, Reason, Timeouts, fill_sql, quote_literal};
use sqlx::postgres::PgRow;

/// Finds the store's table and columns, and what a sweep of it needs and runs.
///
/// # Errors
///
/// Which key is wrong, what was found and what was expected; or why the catalog could not be read.
pub async fn resolve_store(
    connection: &mut BoundedConnection,
    store: &SessionStoreConfig,
    timeouts: Timeouts,
) -> Result<ResolvedStore, Reason> {
    let reading_failed = |reason: Reason| reason.while_doing("reading the catalog failed");
    let result = connection.run_transaction("resolve-store", TransactionMode::Read, timeouts, queries(store)).await;
    let answers = result.into_answers().map_err(|error| reading_failed(explain_sweep_error(&error, timeouts)))?;
    resolve(store, &answers, &connection.server().role).map_err(|error| match error {
        ResolveError::InvalidConfig(reason) => reason,
        ResolveError::Query(error) => reading_failed(error.into()),
    })
}

/// The table; its columns; the code of untrusted roles that it runs; the foreign keys, triggers and rules that act.
fn queries(store: &SessionStoreConfig) -> [String; 8] {
    let (schema, table) = (quote_literal(&store.table.schema), quote_literal(&store.table.name));
    let revokes = matches!(store.action, Action::Revoke { .. }).to_string();
    // A partial index on the sessions that are not revoked serves them.
    let values = [("SCHEMA", &schema), ("TABLE", &table), ("PARTIAL", &revokes), ("REVOKES", &revokes)];
    let fill = |sql: &str| fill_sql(sql, &values);
    let declared: String = store.declared_ids.iter().enumerate().map(declared_row).collect();
    [
        fill(include_str!("table.sql")),
        fill(include_str!("columns.sql")),
        touched_code_sql(store),
        untrusted_code_sql(store),
        fill(include_str!("effects.sql")),
        fill(include_str!("code.sql")),
        fill(include_str!("replication_role.sql")),
        fill_sql(include_str!("ids.sql"), &[("SCHEMA", &schema), ("TABLE", &table), ("DECLARED", &declared)]),
    ]
}

/// A row for `ids.sql`.
fn declared_row((entry, id): (usize, &DeclaredId)) -> String {
    let ColumnName { table, column } = &id.column;
    let names = [&id.sequence.schema, &id.sequence.name, &table.schema, &table.name, column];
    // Other parts are compared as they are, and this one by the texts around the star.
    let place = |part: u8| id.star.as_ref().is_some_and(|star| star.part == part);
    let is_star = [false, false, place(1), place(2), place(3)];
    let names =
        names.iter().zip(is_star).map(|(name, is_star)| if is_star { "NULL".to_owned() } else { quote_literal(name) });
    let names: Vec<String> = names.collect();
    let star = match &id.star {
        Some(star) => format!("{}, {}, {}", star.part, quote_literal(&star.before), quote_literal(&star.after)),
        None => "0, NULL, NULL".to_owned(),
    };
    format!(", ({entry}, {}, {star})", names.join(", "))
}

/// `answers` are those to [`queries`]; `role` is the connected role, quoted.
fn resolve(store: &SessionStoreConfig, answers: &[Vec<PgRow>], role: &str) -> Result<ResolvedStore, ResolveError> {
    let [tables, columns, code_state, untrusted, keys, code, replication_role, ids] = answers else {
        return Err(ResolveError::Query(QueryError::UnexpectedResponse("an answer is missing".to_owned())));
    };
    let Some(table) = tables.first() else {
        return Err(ResolveError::invalid_config(format!(
            "table: found no {} here, expected the table of the sessions (correct `table`; where it is in another \
             database only, say which with `database`)",
            store.table
        )));
    };
    let table = Table::read(table)?;
    let not_a_table = match table.kind.as_str() {
        "r" | "p" => None,
        "v" | "m" => Some("a view"),
        _ => Some("a foreign table"),
    };
    if let Some(found) = not_a_table {
        let text = format!("table: found {found} named {}, expected the table beneath it", table.name);
        return Err(ResolveError::invalid_config(text));
    }
    if let Some(part) = &table.foreign_part {
        let text =
            format!("table: found {}, which has the foreign table {part}, expected local partitions", table.name);
        return Err(ResolveError::invalid_config(text));
    }
    let columns = columns.iter().map(Column::read).collect::<Result<Vec<_>, _>>()?;
    let catalog = TableColumns { store, table: &table, all: &columns };
    let (ends, mut warnings) = expiry_columns(&catalog)?;
    let deletes = matches!(store.action, Action::Delete);
    let effects = Effects::read(keys, code, replication_role, store).map_err(ResolveError::Query)?;
    warnings.extend(effects.warnings.iter().cloned());
    let ids = if deletes { ids.as_slice() } else { &[] };
    let ids = GeneratedId::read_all(ids, &table.name, store).map_err(ResolveError::Query)?;
    let (text_ids, ids): (Vec<_>, Vec<_>) = ids.into_iter().partition(|id| id.is_text);
    let created_at = match &store.created_at {
        Some(column) if store.counts_activity() => Some(catalog.find_time("created_at", column)?),
        None if store.counts_activity() => catalog.likely_creation(),
        _ => None,
    };
    let per_user = match store.max_per_user {
        Some(max) => {
            let user = store.user.iter().map(|user| catalog.find("user", user).map(|found| found.name.clone()));
            Some(PerUserLimit {
                max,
                user: user.collect::<Result<_, _>>()?,
                newest_by: catalog.find_time("created_at", &store.newest_by)?,
            })
        }
        None => None,
    };
    let only = store.only.iter().map(|condition| catalog.condition(condition)).collect::<Result<Vec<_>, _>>()?;
    let missing_to_sweep = catalog.missing_sweep_privilege(role)?;
    Ok(ResolvedStore {
        action: catalog.end_action()?,
        columns: catalog.used().map(|column| column.name.clone()).collect(),
        missing_to_look: catalog.missing_read_privilege(role),
        missing_to_sweep: missing_to_sweep.or_else(|| ids.iter().find_map(|id| id.missing_privilege(role))),
        ids,
        text_ids,
        untrusted_code: untrusted_code_reason(untrusted, &table.name, &table.owner, role)?,
        code: CodeState::read(code_state)?,
        only,
        value_checks: catalog.checks(),
        kinds: catalog.kinds(),
        created_at,
        effects,
        ends,
        per_user,
        warnings,
        table: table.name,
        oids: table.oids,
        schema: table.schema,
        owner: table.owner,
        role: role.to_owned(),
        has_children: table.has_children,
        row_security: table.row_security,
    })
}

/// The columns that say when a session expires, with a warning for each without an index.
fn expiry_columns(catalog: &TableColumns<'_>) -> Result<(Vec<ExpiryColumn>, Vec<Reason>), ResolveError> {
    let (mut ends, mut warnings) = (Vec::new(), Vec::new());
    for rule in &catalog.store.meanings {
        let key = rule.kind.key();
        let found = catalog.find(key, &rule.column)?;
        let column = catalog.time_column(key, found)?;
        if rule.kind == ExpiryKind::ExpiresAt && found.default.as_deref().is_some_and(is_now) {
            return Err(ResolveError::invalid_config(format!(
                "expires_at: found {}, whose default is the current time: it says when a row was made; expected the \
                 column that says when a session ends (or `created_at` and `absolute_timeout`)",
                found.name
            )));
        }
        if !found.is_indexed {
            warnings.push(catalog.missing_index_warning(&found.name)?);
        }
        let lifetime = rule.lifetime.as_ref().map(|lifetime| catalog.lifetime(lifetime)).transpose()?;
        ends.push(ExpiryColumn { kind: rule.kind, column, lifetime });
    }
    Ok((ends, warnings))
}
