//! The values that the configuration states for columns of a store: `only`, and the value of `revoke`.

use super::columns::{Column, ResolveError, TableColumns, constant};
use crate::config::{Action, Condition, Scalar};

/// Whether a column takes the values that the configuration states for it.
#[derive(Debug, Clone)]
pub struct ValueCheck {
    pub key: String,
    /// The column's type.
    pub type_name: String,
    /// Fails where it does not.
    pub sql: String,
}

impl ValueCheck {
    /// `condition` is over the column as one of `t`.
    fn new(key: String, column: &Column, constants: impl IntoIterator<Item = String>, condition: &str) -> Self {
        let constants: Vec<String> = constants.into_iter().chain([condition.to_owned()]).collect();
        let Column { name, type_name, .. } = column;
        let sql = format!("SELECT {} FROM (SELECT NULL::{type_name} AS {name}) AS t", constants.join(", "));
        Self { key, type_name: type_name.clone(), sql }
    }
}

impl TableColumns<'_> {
    /// The condition that a row is a session, as SQL.
    pub fn condition(&self, condition: &Condition) -> Result<String, ResolveError> {
        let found = self.find(&format!("only.{}", condition.column), &condition.column)?;
        let name = format!("t.{}", found.name);
        let is_one = |value: &Option<Scalar>| match value {
            None => format!("{name} IS NULL"),
            Some(value) => format!("{name} {} {}", found.equals, constant(value, found)),
        };
        let parts: Vec<String> = condition.values.iter().map(is_one).collect();
        Ok(if parts.len() == 1 { parts.concat() } else { format!("({})", parts.join(" OR ")) })
    }

    /// For each key with values for a column, whether its type takes them and can be compared.
    pub fn checks(&self) -> Vec<ValueCheck> {
        let mut checks = Vec::new();
        for condition in &self.store.only {
            let key = format!("only.{}", condition.column);
            let (Ok(column), Ok(sql)) = (self.find(&key, &condition.column), self.condition(condition)) else {
                continue;
            };
            let constants = condition.values.iter().flatten().map(|value| constant(value, column));
            checks.push(ValueCheck::new(key, column, constants, &sql));
        }
        if let Action::Revoke { column, value: Some(value) } = &self.store.action
            && let Ok(column) = self.find("revoke.column", column)
        {
            checks.push(ValueCheck::new("revoke.value".to_owned(), column, [constant(value, column)], "true"));
        }
        checks
    }
}
