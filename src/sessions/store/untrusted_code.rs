//! Whose code ending sessions would run with our rights: triggers, rules and functions of other roles.

use super::ResolvedStore;
use crate::config::{Action, SessionStoreConfig};
use pgmedic_core::{QueryError, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

const STRANGERS: &str = include_str!("untrusted_code.sql");

/// The question, of the table that `store` names; no row is the answer to hope for.
pub fn untrusted_code_sql(store: &SessionStoreConfig) -> String {
    let (schema, name) = (quote_literal(&store.table.schema), quote_literal(&store.table.name));
    let table = format!(
        "(SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE n.nspname = {schema} AND c.relname = {name})"
    );
    STRANGERS.replace("@TABLE@", &table)
}

/// What precedes each deletion in its own transaction: for what was asked before may have changed since.
pub fn sweep_guard_sql(store: &SessionStoreConfig, found: &ResolvedStore) -> Vec<String> {
    let tripwire =
        format!("SELECT 1 / (NOT EXISTS (SELECT FROM ({}) AS strangers))::integer", untrusted_code_sql(store));
    // Keeps everybody from hanging a trigger, rule or foreign key on the table meanwhile; asks for a privilege on the
    // whole table, which whoever only sets a column need not have, and then no foreign key's action runs either.
    let lock = format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", found.from());
    let locks = matches!(store.action, Action::Delete).then_some(lock);
    locks.into_iter().chain([tripwire]).collect()
}

/// Why the table is left alone, in the words of the one who must fix it.
///
/// # Errors
///
/// When the answer is not one.
pub fn describe_untrusted_code(
    strangers: &[PgRow],
    table: &str,
    owner: &str,
    role: &str,
) -> Result<Option<String>, QueryError> {
    let Some(row) = strangers.first() else { return Ok(None) };
    let (relation, found, stranger): (String, String, String) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let (itself, superuser): (bool, bool) = (row.try_get(3)?, row.try_get(4)?);
    let led_here = if itself { "" } else { ", to which a foreign key's action leads," };
    Ok(Some(if superuser {
        format!(
            "table: {relation}{led_here} {found} {stranger}, whose triggers, rules and functions would run with the \
             rights of {role}, a superuser: expected a role of pgmedic's own (pgmedic grants prints its privileges)"
        )
    } else {
        format!(
            "table: {relation}{led_here} {found} {stranger}, whose triggers would run with the rights of {role}: \
             expected it to belong to {owner} as {table} does (ALTER TABLE {relation} OWNER TO {owner}), or the foreign \
             key to have no action"
        )
    }))
}
