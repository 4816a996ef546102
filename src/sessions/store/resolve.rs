//! What the catalog says of a store, held against what the configuration says.

use super::super::reasons::explain_sweep_error;
use super::columns::{Column, ResolveError, TableColumns, is_now};
use super::untrusted_code::{describe_untrusted_code, untrusted_code_sql};
use super::{ExpiryColumn, ResolvedStore};
use crate::config::{Action, ExpiryKind, SessionStoreConfig};
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Timeouts, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Checks the store.
///
/// # Errors
///
/// Which key is wrong, what was found and what was expected; or why the catalog could not be read.
pub async fn resolve_store(
    session: &mut BoundedConnection,
    store: &SessionStoreConfig,
    bounds: Timeouts,
) -> Result<ResolvedStore, String> {
    let script = session.run_transaction("resolve-store", TransactionMode::Read, bounds, statements(store)).await;
    if let Some(failure) = script.failure {
        return Err(format!("reading the catalog failed: {}", explain_sweep_error(&failure, bounds)));
    }
    let [tables, columns, children, strangers] = script.answers.as_slice() else {
        return Err("reading the catalog failed: unexpected answer".to_owned());
    };
    let Some(table) = tables.first() else {
        return Err(format!(
            "table: found no {} here, expected the table of the sessions (correct `table`; where it is in another \
             database only, say which with `database`)",
            store.table
        ));
    };
    let read = |failure: QueryError| format!("reading the catalog failed: {failure}");
    let columns = columns.iter().map(column).collect::<Result<Vec<_>, _>>().map_err(read)?;
    let role = &session.server().role;
    let mut found = resolve_columns(store, table, &columns, children, role).map_err(|error| match error {
        ResolveError::InvalidConfig(text) => text,
        ResolveError::Query(failure) => read(failure),
    })?;
    found.untrusted_code = describe_untrusted_code(strangers, &found.table, &found.owner, role).map_err(read)?;
    Ok(found)
}

/// The table; its columns; the tables that refer to it; whose code it runs.
fn statements(store: &SessionStoreConfig) -> [String; 4] {
    let (schema, name) = (quote_literal(&store.table.schema), quote_literal(&store.table.name));
    let table = format!(
        "(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE n.nspname = {schema} AND c.relname = {name})"
    );
    [
        format!(
            "SELECT c.relkind::text, quote_ident(n.nspname) || '.' || quote_ident(c.relname), c.relhassubclass,
                    has_schema_privilege(n.oid, 'USAGE'), quote_ident(n.nspname), has_table_privilege(c.oid, 'DELETE'),
                    {ctid}, {tableoid},
                    has_any_column_privilege(c.oid, 'UPDATE'), quote_ident(pg_get_userbyid(c.relowner)),
                    c.relrowsecurity, row_security_active(c.oid)
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.oid = {table} AND c.relkind IN ('r', 'p', 'v', 'm', 'f')",
            ctid = may_read("ctid"),
            tableoid = may_read("tableoid"),
        ),
        format!(
            "SELECT a.attname::text, quote_ident(a.attname),
                    CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END::bigint,
                    format_type(a.atttypid, -1), a.attgenerated <> '', pg_get_expr(d.adbin, d.adrelid),
                    has_column_privilege(a.attrelid, a.attnum, 'SELECT'),
                    has_column_privilege(a.attrelid, a.attnum, 'UPDATE'),
                    EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                            JOIN pg_am m ON m.oid = c.relam
                            WHERE i.indrelid = a.attrelid AND i.indisvalid AND m.amname = 'btree'
                              AND i.indkey[0] = a.attnum AND ({partial} OR i.indpred IS NULL))
             FROM pg_attribute a
             JOIN pg_type t ON t.oid = a.atttypid
             LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
             WHERE a.attrelid = {table} AND a.attnum > 0 AND NOT a.attisdropped
             ORDER BY a.attnum",
            // An index on what is not revoked yet is the best there is.
            partial = matches!(store.action, Action::Revoke { .. })
        ),
        format!(
            "SELECT k.conrelid::regclass::text, k.confdeltype::text, quote_ident(k.conname),
                    (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY u.place)
                     FROM unnest(k.conkey) WITH ORDINALITY AS u (number, place)
                     JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number),
                    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid
                              AND i.indpred IS NULL AND i.indkey[0] = ANY (k.conkey))
             FROM pg_constraint k
             WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = {table}
             ORDER BY 1, 3"
        ),
        untrusted_code_sql(store),
    ]
}

/// A view has no such columns, and asking for them would be an error.
fn may_read(column: &str) -> String {
    format!("CASE WHEN c.relkind IN ('r', 'p') THEN has_column_privilege(c.oid, '{column}', 'SELECT') ELSE false END")
}

fn column(row: &PgRow) -> Result<Column, QueryError> {
    Ok(Column {
        raw_name: row.try_get(0)?,
        name: row.try_get(1)?,
        type_oid: row.try_get(2)?,
        type_name: row.try_get(3)?,
        generated: row.try_get(4)?,
        default: row.try_get(5)?,
        readable: row.try_get(6)?,
        settable: row.try_get(7)?,
        indexed: row.try_get(8)?,
    })
}

fn resolve_columns(
    store: &SessionStoreConfig,
    table: &PgRow,
    columns: &[Column],
    children: &[PgRow],
    role: &str,
) -> Result<ResolvedStore, ResolveError> {
    let name: String = table.try_get(1)?;
    let other = match table.try_get::<String, _>(0)?.as_str() {
        "r" | "p" => None,
        "v" | "m" => Some("a view"),
        _ => Some("a foreign table"),
    };
    if let Some(other) = other {
        return Err(ResolveError::InvalidConfig(format!(
            "table: found {other} named {name}, expected the table beneath it"
        )));
    }
    let catalog = TableColumns { store, table: &name, all: columns };
    let mut ends = Vec::new();
    let mut warnings = Vec::new();
    for meaning in &store.meanings {
        let found = catalog.find(meaning.kind.key(), &meaning.column)?;
        let column = catalog.time_column(meaning.kind.key(), found)?;
        if meaning.kind == ExpiryKind::ExpiresAt && found.default.as_deref().is_some_and(is_now) {
            return Err(ResolveError::InvalidConfig(format!(
                "expires_at: found {}, whose default is the current time: it says when a row was made; expected the \
                 column that says when a session ends (or `created_at` and `absolute_timeout`)",
                found.name
            )));
        }
        if !found.indexed {
            warnings.push(catalog.missing_index_warning(&found.name)?);
        }
        ends.push(ExpiryColumn { kind: meaning.kind, column });
    }
    if matches!(store.action, Action::Delete) {
        for child in children {
            warnings.extend(foreign_key_warnings(child, &name)?);
        }
    }
    let action = catalog.end_action()?;
    let user = store.user.as_deref().filter(|_| store.max_per_user.is_some());
    let user = user.map(|user| catalog.find("user", user)).transpose()?;
    let newest_by = match ends.iter().zip(&store.meanings).find(|(_, meaning)| meaning.column == store.newest_by) {
        Some((end, _)) => end.column.clone(),
        None if store.max_per_user.is_some() => {
            catalog.time_column("created_at", catalog.find("created_at", &store.newest_by)?)?
        }
        // Not needed, and so not checked.
        None => ends[0].column.clone(),
    };
    let has_children: bool = table.try_get(2)?;
    let missing_to_look = catalog.missing_read_privilege(table, role, has_children)?;
    let missing_to_sweep = catalog.missing_sweep_privilege(table, role)?;
    Ok(ResolvedStore {
        table: name.clone(),
        has_children,
        schema: table.try_get(4)?,
        owner: table.try_get(9)?,
        row_security: table.try_get(10)?,
        columns: catalog.used().map(|column| column.name.clone()).collect(),
        ends,
        action,
        user: user.map(|user| user.name.clone()),
        newest_by,
        warnings,
        missing_to_look,
        missing_to_sweep,
        untrusted_code: None,
    })
}

/// What a table that refers to the sessions does to their sweep.
fn foreign_key_warnings(row: &PgRow, table: &str) -> Result<Vec<String>, ResolveError> {
    let [child, on_delete, constraint, columns] = [0, 1, 2, 3].map(|index| row.try_get::<String, _>(index));
    let (child, on_delete, constraint, columns) = (child?, on_delete?, constraint?, columns?);
    let mut warnings = Vec::new();
    if matches!(on_delete.as_str(), "a" | "r") {
        warnings.push(format!(
            "{child} refers to the sessions, and those with rows there cannot be deleted: ALTER TABLE {child} \
             DROP CONSTRAINT {constraint}, ADD FOREIGN KEY ({columns}) REFERENCES {table} ON DELETE CASCADE"
        ));
    }
    if !row.try_get::<bool, _>(4)? {
        warnings.push(format!(
            "{child} refers to the sessions without an index, so each deletion reads all of it: \
             CREATE INDEX CONCURRENTLY ON {child} ({columns})"
        ));
    }
    Ok(warnings)
}
