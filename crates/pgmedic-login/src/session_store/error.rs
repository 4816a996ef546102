//! Why the session store could not do what it was asked for.

use pgmedic_core::TableName;
use std::time::Duration;

/// Why the session store could not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The [`SessionTable`](crate::SessionTable) does not fit the database.
    #[error("the session store's table: {0}")]
    UnusableTable(#[from] SessionTableError),
    /// The table of users has no such user.
    #[error("there is no such user")]
    UnknownUser,
    /// A time to live of 0, or of more than 1000 years.
    #[error("a session cannot live for {}; expected more than 0 and at most 1000 years", humantime::format_duration(*.0))]
    Lifetime(Duration),
    /// The operating system has no random numbers for a token.
    #[error("the operating system gives no random numbers: {0}")]
    Random(#[from] getrandom::Error),
    /// The database's error, or one of the connection to it.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
}

/// Why a [`SessionTable`](crate::SessionTable) does not fit the database. Names are quoted where SQL needs it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionTableError {
    /// There is no such table, or the role may not use its schema.
    #[error("there is no table {table}; correct the name, or create it")]
    NoTable {
        /// The table.
        table: TableName,
    },
    /// The table has no such column.
    #[error("{table} has no column {column:?}; correct the name, or add it")]
    NoColumn {
        /// The table.
        table: String,
        /// The column's name, not quoted.
        column: String,
    },
    /// The column has a type that the store cannot use.
    #[error("{table}.{column} is {found}; expected {}", expected.join(", "))]
    ColumnType {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Its type.
        found: String,
        /// The types that the store can use.
        expected: &'static [&'static str],
    },
    /// No unique index is on the column of the token's hash alone. [`fix`](Self::fix) creates it.
    #[error(
        "{table}.{column} has no unique index on it alone, which every look-up needs: {}",
        token_index(table, column)
    )]
    NoTokenIndex {
        /// The table.
        table: String,
        /// The column of the token's hash.
        column: String,
    },
    /// A unique index on the user alone, against which every second login would fail.
    #[error(
        "{index} lets each {column} be in {table} once, and {}, so that every second login would fail: drop it, or close \
         sessions by CloseAction::RevokedAt and make it UNIQUE ({column}) WHERE that column IS NULL",
        if *.deletes { "the new session is inserted before the older are deleted" } else { "rows stay" }
    )]
    UniqueUser {
        /// The index.
        index: String,
        /// The table.
        table: String,
        /// The column of the user.
        column: String,
        /// Whether the store deletes older sessions.
        deletes: bool,
    },
}

impl SessionTableError {
    /// The SQL statement that removes the error, if a single statement does.
    ///
    /// ```
    /// use pgmedic_login::SessionTableError;
    ///
    /// let error = SessionTableError::NoTokenIndex { table: "public.s".to_owned(), column: "token".to_owned() };
    /// assert_eq!(error.fix().as_deref(), Some("CREATE UNIQUE INDEX CONCURRENTLY ON public.s (token)"));
    /// ```
    #[must_use]
    pub fn fix(&self) -> Option<String> {
        match self {
            Self::NoTokenIndex { table, column } => Some(token_index(table, column)),
            _ => None,
        }
    }
}

fn token_index(table: &str, column: &str) -> String {
    format!("CREATE UNIQUE INDEX CONCURRENTLY ON {table} ({column})")
}
