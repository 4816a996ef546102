//! One database to monitor: its label, its connection string, and the budget of its connections.

use super::error::{ConfigError, ConfigLocation, SourceError};
use super::url_source::UrlSource;
use super::values::is_label;
use crate::db::budget::{ConnectionBudget, DEFAULT_MAX_CONNECTIONS};
use crate::db::{ConnectTarget, OwnTransactions};
use crate::report::DatabaseLabel;
use secrecy::SecretString;
use std::sync::Arc;

/// One database to monitor.
#[derive(Debug, Clone)]
pub struct Database {
    /// The label in reports and metrics; unique.
    pub name: DatabaseLabel,
    /// Where its connection URL comes from.
    pub source: UrlSource,
    /// The database's own name, where it is another one than the URL's.
    pub(super) own_name: Option<String>,
    /// Counts the transactions of this agent in it.
    pub(super) transactions: OwnTransactions,
    /// Other databases are configured too, so that a command has to name this one.
    pub among_several: bool,
    /// Of all connections to its server at a time; none for the default.
    pub(super) max_connections: Option<u32>,
    /// Counts the connections of the whole configuration.
    pub(super) budget: Arc<ConnectionBudget>,
}

impl Database {
    pub(super) fn new(name: impl Into<DatabaseLabel>, source: UrlSource) -> Self {
        Self {
            name: name.into(),
            source,
            own_name: None,
            transactions: OwnTransactions::default(),
            among_several: false,
            max_connections: None,
            budget: Arc::default(),
        }
    }

    /// The database of this own name on the same server, by the same connection string.
    pub(super) fn sibling(&self, name: DatabaseLabel, own_name: &str) -> Self {
        Self { name, own_name: Some(own_name.to_owned()), transactions: OwnTransactions::default(), ..self.clone() }
    }

    /// A database that the command line names.
    pub fn inline(name: String, connection: SecretString) -> Self {
        Self::new(name, UrlSource::Inline(connection))
    }

    /// The connection options. Reads the URL file again.
    ///
    /// # Errors
    ///
    /// When the file that holds the URL cannot be read or no longer holds a usable URL.
    pub fn connect_options(&self) -> Result<ConnectTarget, ConfigError> {
        let target = self.source.options(self.own_name.as_deref()).map_err(|cause| ConfigError::Source {
            location: ConfigLocation::Database(self.name.to_string()),
            key: String::new(),
            cause: Box::new(cause),
        })?;
        Ok(ConnectTarget {
            budget: Arc::clone(&self.budget),
            max_connections: self.max_connections,
            transactions: self.transactions.clone(),
            ..target
        })
    }

    /// How many transactions of this agent its server has counted, at most.
    pub fn transactions(&self) -> u64 {
        self.transactions.count()
    }

    /// What this entry says of the connections to its server.
    pub fn written_max_connections(&self) -> Option<u32> {
        self.max_connections
    }

    /// Of all connections to its server at a time.
    pub fn max_connections(&self) -> u32 {
        self.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS)
    }

    /// The connections of the whole configuration.
    pub fn budget(&self) -> &Arc<ConnectionBudget> {
        &self.budget
    }
}

/// The database's own name, as the label.
pub(super) fn label(target: &ConnectTarget) -> Result<String, SourceError> {
    let name = target.database_name();
    if is_label(name) { Ok(name.to_owned()) } else { Err(SourceError::NoLabel) }
}
