//! Whether columns of a store can be compared: with the values that the configuration states for them, by `only` and the value
//! of `revoke`, and of `user` with each other.

use super::columns::{Column, ResolveError, TableColumns, constant};
use crate::config::{Action, Condition, Scalar};

/// Whether a column can be compared.
#[derive(Debug, Clone)]
pub struct ValueCheck {
    /// Fails where it cannot.
    pub sql: String,
    /// The key, what was found and what was expected.
    pub text: String,
}

impl ValueCheck {
    /// `condition` is over the column as one of `t`.
    fn new(key: String, column: &Column, constants: impl IntoIterator<Item = String>, condition: &str) -> Self {
        let constants: Vec<String> = constants.into_iter().chain([condition.to_owned()]).collect();
        let Column { name, type_name, .. } = column;
        let sql = format!("SELECT {} FROM (SELECT NULL::{type_name} AS {name}) AS t", constants.join(", "));
        Self { sql, text: format!("{key}: expected values of {type_name}, a type that can be compared") }
    }

    /// The values of a column that says whose a session is are compared with each other.
    fn of_user(column: &Column, table: &str) -> Self {
        let Column { name, type_name, .. } = column;
        let sql =
            format!("SELECT count(*) OVER (PARTITION BY t.{name}) FROM (SELECT NULL::{type_name} AS {name}) AS t");
        let helps = match type_name.as_str() {
            "json" => {
                let new = match name.strip_suffix('"') {
                    Some(quoted) => format!("{quoted}_text\""),
                    None => format!("{name}_text"),
                };
                format!(
                    ", such as a generated one, with the key that has the user: ALTER TABLE {table} ADD {new} text \
                     GENERATED ALWAYS AS ({name} ->> 'user_id') STORED"
                )
            }
            _ => "; a generated column can hold what says it".to_owned(),
        };
        let text =
            format!("user: found {name} of type {type_name}, expected a column of a type that can be compared{helps}");
        Self { sql, text }
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
            let value = constant(value, column);
            let condition = format!("t.{} IS DISTINCT FROM {value}", column.name);
            checks.push(ValueCheck::new("revoke.value".to_owned(), column, [value], &condition));
        }
        if self.store.max_per_user.is_some() {
            let users = self.store.user.iter().filter_map(|user| self.find("user", user).ok());
            checks.extend(users.map(|column| ValueCheck::of_user(column, &self.table.name)));
        }
        checks
    }
}
