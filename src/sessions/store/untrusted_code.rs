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
    fill_sql(include_str!("untrusted_code.sql"), &[("OWNERS", touched_owners_sql(store))])
}

/// A query about the same table, whose answer is for [`CodeState::read`]. It is asked before the other one, so that a change in
/// between makes the state differ.
pub fn touched_code_sql(store: &SessionStoreConfig) -> String {
    let roles = "ARRAY(SELECT unnest(ARRAY[m.oid, m.session_role]) FROM me m \
                 JOIN store s ON s.relowner NOT IN (m.oid, m.session_role))";
    let member_of = "ARRAY(SELECT r.oid FROM me m JOIN pg_roles r ON NOT m.rolsuper AND r.oid NOT IN (m.oid, m.session_role) \
                  AND (pg_has_role(m.oid, r.oid, 'MEMBER') OR pg_has_role(m.session_role, r.oid, 'MEMBER')))";
    let arrays = [
        ("ROLES", roles),
        ("MEMBER_OF", member_of),
        ("RELATIONS", "ARRAY(SELECT t.rel FROM touched t)"),
        ("SCHEMAS", "ARRAY(SELECT c.relnamespace FROM touched t JOIN pg_class c ON c.oid = t.rel)"),
        ("FUNCTIONS", "ARRAY(SELECT u.oid FROM used u WHERE u.class = 'pg_proc'::regclass)"),
        ("OPERATORS", "ARRAY(SELECT u.oid FROM used u WHERE u.class = 'pg_operator'::regclass)"),
    ];
    let state = fill_sql(include_str!("code_state.sql"), &arrays);
    let values = [
        ("OWNERS", touched_owners_sql(store)),
        ("ROLES", roles.to_owned()),
        ("MEMBER_OF", member_of.to_owned()),
        ("STATE", state),
    ];
    fill_sql(include_str!("touched_code.sql"), &values)
}

fn touched_owners_sql(store: &SessionStoreConfig) -> String {
    let (schema, table) = (quote_literal(&store.table.schema), quote_literal(&store.table.name));
    fill_sql(include_str!("touched_owners.sql"), &[("SCHEMA", schema), ("TABLE", table)])
}

/// The code that ending sessions would run, as the catalog had it when it was judged.
#[derive(Debug, Clone, Default)]
pub struct CodeState {
    /// A query for the state, and its answer then.
    query: String,
    state: String,
}

impl CodeState {
    /// `rows` are of [`touched_code_sql`].
    pub fn read(rows: &[PgRow]) -> Result<Self, sqlx::Error> {
        let row = rows.first().ok_or(sqlx::Error::RowNotFound)?;
        let array = |column: &str| -> Result<String, sqlx::Error> {
            let oids: Vec<String> = row.try_get::<Vec<i64>, _>(column)?.iter().map(i64::to_string).collect();
            Ok(format!("'{{{}}}'::oid[]", oids.join(",")))
        };
        let arrays = [
            ("ROLES", array("roles")?),
            ("MEMBER_OF", array("member_of")?),
            ("RELATIONS", array("relations")?),
            ("SCHEMAS", array("schemas")?),
            ("FUNCTIONS", array("functions")?),
            ("OPERATORS", array("operators")?),
        ];
        Ok(Self { query: fill_sql(include_str!("code_state.sql"), &arrays), state: row.try_get("state")? })
    }
}

/// How it is made sure, before each batch, that no untrusted code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SweepGuard {
    /// The code is what was judged.
    Unchanged,
    /// It is judged again.
    Judged,
}

/// The statements before each batch, in its transaction: the table may have changed since it was resolved. The last one divides by
/// zero where it is not safe to end sessions.
pub fn sweep_guard_sql(config: &SessionStoreConfig, resolved: &ResolvedStore, guard: SweepGuard) -> Vec<String> {
    let mut statements = Vec::new();
    if matches!(config.action, Action::Delete) {
        // Until the batch has ended, no trigger, rule or foreign key can be added to the table. It needs a privilege on
        // the whole table, which a role that only sets a column need not have; then no foreign key's action runs either.
        statements.push(format!("LOCK TABLE {} IN ROW EXCLUSIVE MODE", resolved.from()));
    }
    let is_safe = match guard {
        SweepGuard::Unchanged => {
            let CodeState { query, state } = &resolved.code;
            format!("({query}) = {}", quote_literal(state))
        }
        SweepGuard::Judged => format!("NOT EXISTS (SELECT FROM ({}) AS untrusted)", untrusted_code_sql(config)),
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
                "; the fix gives it to {owner}, with whose rights the foreign key then acts, and of which {untrusted} is a member"
            ),
            None => "; else leave these sessions to what their application ends itself".to_owned(),
        };
        let text = format!(
            "table: {relation}{led_here} {found} {untrusted}, whose triggers would run with the rights of {role}: \
             expected it to belong to {owner} as {table} does, or the foreign key to have no action{way}"
        );
        (text, fix.map(Fix::Sql))
    };
    Ok(Some(Reason { fix, ..Reason::new(ReasonKind::UntrustedCode, text) }))
}

#[cfg(test)]
mod tests {
    /// What is judged, and does not change the state, could be replaced in the middle of a sweep.
    #[test]
    fn the_state_of_the_code_holds_each_catalog_that_is_read_to_judge_it() {
        let state = include_str!("code_state.sql");
        for sql in [include_str!("touched_owners.sql"), include_str!("untrusted_code.sql")] {
            let words: Vec<&str> = sql.split_whitespace().collect();
            let read =
                words.windows(2).filter(|pair| ["FROM", "JOIN"].contains(&pair[0]) && pair[1].starts_with("pg_"));
            // Dependencies and columns change with the versions of what has them.
            for catalog in read.map(|pair| pair[1]).filter(|catalog| !["pg_depend", "pg_attribute"].contains(catalog)) {
                assert!(state.contains(&format!("FROM {catalog} ")), "{catalog}");
            }
        }
    }
}
