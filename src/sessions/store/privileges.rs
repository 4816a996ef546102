//! What a role must be allowed so that the configured stores of one database can be swept.

use super::resolve::resolve_store;
use super::{EndAction, ResolvedStore};
use crate::config::SessionStoreConfig;
use crate::db::BoundedConnection;
use pgmedic_core::Timeouts;

/// What the sweep of one store touches. Names are quoted by the server.
#[derive(Debug)]
pub struct StorePrivileges {
    pub schema: String,
    pub table: String,
    pub owner: String,
    /// What is read: columns, and where a row is.
    pub columns: Vec<String>,
    /// What is done to rows, and what locking them asks for.
    pub privileges: Vec<String>,
    pub row_security: bool,
}

/// Finds out what the sweeps touch, and why some cannot be told.
pub async fn needs(
    session: &mut BoundedConnection,
    stores: impl IntoIterator<Item = &SessionStoreConfig>,
    bounds: Timeouts,
) -> (Vec<StorePrivileges>, Vec<String>) {
    let mut needs = Vec::new();
    let mut notes = Vec::new();
    for store in stores {
        match resolve_store(session, store, bounds).await {
            Ok(found) => needs.push(of(found)),
            Err(reason) => notes.push(format!("sessions {}: {reason}", store.name)),
        }
    }
    (needs, notes)
}

fn of(found: ResolvedStore) -> StorePrivileges {
    let mut columns = found.columns;
    columns.push("ctid".to_owned());
    if found.has_children {
        columns.push("tableoid".to_owned());
    }
    // SELECT … FOR UPDATE asks for UPDATE, on any one column (PostgreSQL manual, GRANT).
    let privileges = match found.action {
        EndAction::Delete => {
            let locked = found.ends.first().map(|end| format!("UPDATE ({})", end.column.name));
            std::iter::once("DELETE".to_owned()).chain(locked).collect()
        }
        EndAction::Set { column, .. } => vec![format!("UPDATE ({column})")],
        EndAction::Stamp(column) => vec![format!("UPDATE ({})", column.name)],
    };
    StorePrivileges {
        schema: found.schema,
        table: found.table,
        owner: found.owner,
        columns,
        privileges,
        row_security: found.row_security,
    }
}
