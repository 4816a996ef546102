//! Finds code of other roles that ending sessions would run with this role's rights: triggers, rules and functions.

use super::ResolvedStore;
use crate::config::{Action, SessionStoreConfig};
use pgmedic_core::{Fix, Reason, ReasonKind, fill_sql, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// The way on where the connected role may do more than the owner of the code.
const ANOTHER_ROLE: &str = "let a second [[databases]] entry, with the url of a role that only sweeps, hold the store by its \
                            `database`";

/// A query about the table that `store` names: a row for each reason not to end its sessions, none where it is safe.
pub fn untrusted_code_sql(store: &SessionStoreConfig) -> String {
    about_owners(include_str!("untrusted_code.sql"), store)
}

/// A query about the same table: `true` where it is plain that the other one has no row.
pub fn untrusted_guard_sql(store: &SessionStoreConfig) -> String {
    about_owners(include_str!("untrusted_guard.sql"), store)
}

fn about_owners(query: &str, store: &SessionStoreConfig) -> String {
    let (schema, table) = (quote_literal(&store.table.schema), quote_literal(&store.table.name));
    let owners = fill_sql(include_str!("touched_owners.sql"), &[("SCHEMA", &schema), ("TABLE", &table)]);
    fill_sql(query, &[("OWNERS", owners)])
}

/// The statements before each batch, in its transaction: the table may have changed since it was resolved.
pub fn sweep_guard_sql(config: &SessionStoreConfig, resolved: &ResolvedStore) -> Vec<String> {
    let mut statements = Vec::new();
    if matches!(config.action, Action::Delete) {
        // Until the batch has ended, no trigger, rule or foreign key can be added to the table. It needs a privilege on
        // the whole table, which a role that only sets a column need not have; then no foreign key's action runs either.
        statements.push(format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", resolved.from()));
    }
    // Divides by zero where there is a row.
    let is_safe = match resolved.is_plainly_safe {
        true => untrusted_guard_sql(config),
        false => format!("NOT EXISTS (SELECT FROM ({}) AS untrusted)", untrusted_code_sql(config)),
    };
    statements.push(format!("SELECT 1 / ({is_safe})::integer"));
    statements
}

/// Why the table is left alone. `rows` are of `untrusted_code.sql`; `owner` is the owner of `table`, and `role` the
/// connected role, all quoted.
pub fn untrusted_code_reason(
    rows: &[PgRow],
    table: &str,
    owner: &str,
    role: &str,
) -> Result<Option<Reason>, sqlx::Error> {
    let Some(row) = rows.first() else { return Ok(None) };
    let (relation, found): (String, String) = (row.try_get("relation")?, row.try_get("found")?);
    let untrusted: String = row.try_get("untrusted_role")?;
    let led_here = match row.try_get("is_store")? {
        true => "",
        false => ", to which a foreign key's action leads,",
    };
    let (text, fix) = if row.try_get("is_superuser")? {
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers, rules and functions would run with the \
             rights of {role}, a superuser: run pgmedic as a role that is no superuser, which pgmedic grants sets up"
        );
        (text, Some(Fix::Command("pgmedic grants --role pgmedic".to_owned())))
    } else if let Some(borrowed) = row.try_get::<Option<String>, _>("borrowed_role")? {
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers, rules and functions would run with the \
             rights of {role}, a member of {borrowed}: {ANOTHER_ROLE}; or end the membership"
        );
        (text, Some(Fix::Sql(format!("REVOKE {borrowed} FROM {role}"))))
    } else if let Some(attribute) = row.try_get::<Option<String>, _>("attribute")? {
        let has_it: String = row.try_get("role_with_attribute")?;
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers, rules and functions would run with the \
             rights of {has_it}, which has {attribute}: {ANOTHER_ROLE}; or take that from the role"
        );
        (text, Some(Fix::Sql(format!("ALTER ROLE {has_it} NO{attribute}"))))
    } else if let Some(owned) = row.try_get::<Option<String>, _>("owned")? {
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers, rules and functions would run with the \
             rights of {role}, which owns {owned}: {ANOTHER_ROLE}"
        );
        (text, None)
    } else {
        let fix: Option<String> = row.try_get("fix")?;
        let way = match &fix {
            Some(_) => format!(
                "; the fix gives it to {owner}, with whose rights the foreign key then acts, and leaves {untrusted} all but \
                 the right to alter it"
            ),
            None => String::new(),
        };
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers would run with the rights of {role}: \
             expected it to belong to {owner} as {table} does, or the foreign key to have no action{way}"
        );
        (text, fix.map(Fix::Sql))
    };
    Ok(Some(Reason { fix, ..Reason::new(ReasonKind::UntrustedCode, text) }))
}
