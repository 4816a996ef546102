//! What the foreign keys that refer to the sessions do to their sweep.

use super::columns::missing_index;
use pgmedic_core::{Fix, Reason, ReasonKind};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Warns of a foreign key that stops the deletion of sessions, and of one without an index. `row` is of `foreign_keys.sql`.
pub fn foreign_key_warnings(row: &PgRow) -> Result<Vec<Reason>, sqlx::Error> {
    let (child, columns): (String, String) = (row.try_get("child")?, row.try_get("columns")?);
    let mut warnings = Vec::new();
    if row.try_get("stops_deletion")? {
        warnings.push(if row.try_get("is_same_table")? {
            refers_to_itself(&child, &columns)
        } else {
            stops(&child, row)?
        });
    }
    if !row.try_get::<bool, _>("is_indexed")? {
        let text = format!("{child} refers to the sessions without an index, so each deletion reads all of it");
        let is_partitioned = row.try_get("is_partitioned")?;
        warnings.push(missing_index(text, &child, is_partitioned, &format!("({columns})")));
    }
    Ok(warnings)
}

/// The fix replaces the constraint by one of the same name and definition, but with ON DELETE CASCADE.
fn stops(child: &str, row: &PgRow) -> Result<Reason, sqlx::Error> {
    let (name, definition): (String, String) = (row.try_get("name")?, row.try_get("cascading_definition")?);
    let text = format!(
        "{child} refers to the sessions, and a session with rows there cannot be deleted; the fix deletes those rows \
         with it"
    );
    let statement = format!("ALTER TABLE {child} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition}");
    Ok(Reason::new(ReasonKind::ForeignKey, text).with_fix(Fix::Sql(statement)))
}

/// No fix is proposed, because ON DELETE CASCADE would end live sessions.
fn refers_to_itself(table: &str, columns: &str) -> Reason {
    let text = format!(
        "{table} refers to itself by {columns}, and a session that another one refers to cannot be deleted; ON DELETE SET \
         NULL would keep the other one"
    );
    Reason::new(ReasonKind::ForeignKey, text)
}
