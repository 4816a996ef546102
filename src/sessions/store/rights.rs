//! The privileges that the connected role lacks on a store's table.

use super::columns::{ResolveError, Table, TableColumns};
use crate::config::Action;
use pgmedic_core::{Fix, Reason, ReasonKind};

impl TableColumns<'_> {
    /// The first privilege that `role` lacks to look at the store.
    pub fn missing_read_privilege(&self, role: &str) -> Option<Reason> {
        let Table { name, schema, .. } = self.table;
        if !self.table.may_use_schema {
            return Some(Reason::missing_privilege(&format!("USAGE ON SCHEMA {schema}"), role));
        }
        let unread = if let Some(column) = self.used().find(|column| !column.may_read) {
            Some(column.name.as_str())
        } else if !self.table.may_read_ctid {
            Some("ctid")
        } else if self.table.has_children && !self.table.may_read_tableoid {
            Some("tableoid")
        } else {
            None
        };
        if let Some(column) = unread {
            return Some(Reason::missing_privilege(&format!("SELECT ({column}) ON {name}"), role));
        }
        if self.table.hides_rows {
            let text = format!("row security hides rows of {name} from {role}, and hidden rows cannot be judged");
            let fix = Fix::Sql(format!("ALTER ROLE {role} BYPASSRLS"));
            return Some(Reason::new(ReasonKind::RowSecurity, text).with_fix(fix));
        }
        None
    }

    /// The first privilege that `role` lacks to sweep the store.
    pub fn missing_sweep_privilege(&self, role: &str) -> Result<Option<Reason>, ResolveError> {
        let privilege = match &self.store.action {
            Action::Delete if !self.table.may_delete => Some("DELETE".to_owned()),
            // Locking rows needs it, on any one column.
            Action::Delete if !self.table.may_update_some_column => {
                Some(format!("UPDATE ({})", self.find("table", &self.store.meanings[0].column)?.name))
            }
            Action::Delete => None,
            Action::Revoke { column, .. } => {
                let column = self.find("revoke.column", column)?;
                (!column.may_set).then(|| format!("UPDATE ({})", column.name))
            }
        };
        let on_table = |privilege| format!("{privilege} ON {}", self.table.name);
        Ok(privilege.map(|privilege: String| Reason::missing_privilege(&on_table(privilege), role)))
    }
}
