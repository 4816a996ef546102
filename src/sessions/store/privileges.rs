//! The privileges that a role needs to sweep the configured stores of one database.

use super::{EndAction, IdRows, ResolvedStore, resolve_store};
use crate::config::SessionStoreConfig;
use crate::db::BoundedConnection;
use pgmedic_core::{Reason, Timeouts};

/// What the sweep of one store reads and changes. Names are quoted by the server.
#[derive(Debug)]
pub struct StorePrivileges {
    pub schema: String,
    pub table: String,
    pub owner: String,
    /// The columns to read, `ctid` and `tableoid` among them.
    pub columns: Vec<String>,
    /// Other tables whose rows are deleted with the sessions: schema, name, and the columns to read.
    pub others: Vec<(String, String, String)>,
    /// The sequences to read: schema and name.
    pub sequences: Vec<(String, String)>,
    /// What ending a session needs, and what locking it does, such as `UPDATE (expires_at)`.
    pub privileges: Vec<String>,
    pub row_security: bool,
}

/// The privileges for each of `stores`, and the reasons why some could not be resolved.
pub async fn needs(
    connection: &mut BoundedConnection,
    stores: impl IntoIterator<Item = &SessionStoreConfig>,
    timeouts: Timeouts,
) -> (Vec<StorePrivileges>, Vec<Reason>) {
    let mut needs = Vec::new();
    let mut notes = Vec::new();
    for store in stores {
        match resolve_store(connection, store, timeouts).await {
            Ok(resolved) => needs.push(store_privileges(resolved)),
            Err(reason) => notes.push(reason.while_doing(&format!("sessions {}", store.name))),
        }
    }
    (needs, notes)
}

fn store_privileges(store: ResolvedStore) -> StorePrivileges {
    let mut columns = store.columns;
    columns.extend(store.kinds.into_iter().map(|(column, _)| column));
    if let Some(created) = store.created_at
        && !columns.contains(&created.name)
    {
        columns.push(created.name);
    }
    columns.extend(store.effects.chains.into_iter().map(|(_, columns)| columns));
    let mut others = Vec::new();
    for id in store.ids.iter().chain(&store.text_ids) {
        let of_store = match &id.rows {
            IdRows::Sessions => Some(id.column.clone()),
            IdRows::Others(rows) => {
                others.push((rows.schema.clone(), rows.table.clone(), rows.columns.clone()));
                rows.store_columns.clone()
            }
        };
        let new = of_store.filter(|column| !columns.contains(column));
        columns.extend(new);
    }
    columns.push("ctid".to_owned());
    if store.has_children {
        columns.push("tableoid".to_owned());
    }
    let privileges = match store.action {
        EndAction::Delete => {
            // SELECT … FOR UPDATE needs UPDATE on any one column (PostgreSQL manual, GRANT).
            let locked = store.ends.first().map(|end| format!("UPDATE ({})", end.column.name));
            std::iter::once("DELETE".to_owned()).chain(locked).collect()
        }
        EndAction::Set { column, .. } => vec![format!("UPDATE ({column})")],
        EndAction::Stamp(column) => vec![format!("UPDATE ({})", column.name)],
    };
    StorePrivileges {
        schema: store.schema,
        table: store.table,
        owner: store.owner,
        columns,
        others,
        sequences: store.ids.into_iter().chain(store.text_ids).map(|id| (id.sequence_schema, id.sequence)).collect(),
        privileges,
        row_security: store.row_security,
    }
}
