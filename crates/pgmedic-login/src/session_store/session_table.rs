//! Describes the table of sessions: its columns, how sessions are closed, and how logins of one user wait for each other.

use crate::types::InlineRepairLimits;
use pgmedic_core::TableName;
use std::num::NonZeroU32;
use std::time::Duration;

/// The table of sessions and its columns, and the rules for its sessions.
///
/// The default is the table of `docs/migrations/user_sessions.sql`, with one live session for each user. Describe
/// another one with the `with_…` methods; column names are written as PostgreSQL stores them, without quotes:
///
/// ```
/// use pgmedic_login::{CloseAction, SessionTable, UserLock};
/// use std::num::NonZeroU32;
///
/// # fn table() -> Result<SessionTable, pgmedic_login::NameError> {
/// let table = SessionTable::default()
///     .with_table("app.logins".parse()?)
///     .with_user("account_id")
///     .with_close(CloseAction::RevokedAt { column: "revoked_at".to_owned() })
///     .with_lock(UserLock::Advisory)
///     .with_max_sessions_per_user(const { NonZeroU32::new(3).unwrap() });
/// # Ok(table)
/// # }
/// # assert_eq!(table().unwrap().table.to_string(), "app.logins");
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SessionTable {
    /// The table, `public.user_sessions` by default.
    pub table: TableName,
    /// The table's key, `session_id` by default: an integer column that a sequence feeds.
    pub id: String,
    /// The user's key, `user_id` by default: `smallint`, `integer`, `bigint`, `uuid`, `text` or `varchar`. An index
    /// should begin with it.
    pub user: String,
    /// The hash of the token, `token_hash` by default: `bytea`, with a unique index on this column alone.
    pub token_hash: String,
    /// When the session was created, `created_at` by default: `timestamptz`.
    pub created_at: String,
    /// When the session ends, by the database's clock, `expires_at` by default: `timestamptz`.
    pub expires_at: String,
    /// What closes a session, by default [`CloseAction::Delete`].
    pub close: CloseAction,
    /// How logins of one user wait for each other, by default with the user's row in `public.users (id)`.
    pub lock: UserLock,
    /// How many sessions of a user may be live, 1 by default. A login closes the oldest beyond that.
    pub max_sessions_per_user: NonZeroU32,
    /// The longest time from a session's creation to its end, however often it is touched. Unlimited by default.
    pub max_age: Option<Duration>,
    /// The longest that a login waits for another login of the same user, 5 s by default.
    pub lock_timeout: Duration,
    /// How far a repair may go while a login waits for it.
    pub limits: InlineRepairLimits,
}

impl Default for SessionTable {
    fn default() -> Self {
        let public = |name: &str| TableName { schema: "public".to_owned(), name: name.to_owned() };
        Self {
            table: public("user_sessions"),
            id: "session_id".to_owned(),
            user: "user_id".to_owned(),
            token_hash: "token_hash".to_owned(),
            created_at: "created_at".to_owned(),
            expires_at: "expires_at".to_owned(),
            close: CloseAction::Delete,
            lock: UserLock::Row { table: public("users"), column: "id".to_owned() },
            max_sessions_per_user: NonZeroU32::MIN,
            max_age: None,
            lock_timeout: Duration::from_secs(5),
            limits: InlineRepairLimits::default(),
        }
    }
}

impl SessionTable {
    /// Sets the [table](Self::table), for example `"app.sessions".parse()?`.
    #[must_use]
    pub fn with_table(self, table: TableName) -> Self {
        Self { table, ..self }
    }

    /// Sets the column of the [key](Self::id).
    #[must_use]
    pub fn with_id(self, column: impl Into<String>) -> Self {
        Self { id: column.into(), ..self }
    }

    /// Sets the column of the [user](Self::user).
    #[must_use]
    pub fn with_user(self, column: impl Into<String>) -> Self {
        Self { user: column.into(), ..self }
    }

    /// Sets the column of the [token's hash](Self::token_hash).
    #[must_use]
    pub fn with_token_hash(self, column: impl Into<String>) -> Self {
        Self { token_hash: column.into(), ..self }
    }

    /// Sets the column of the [creation time](Self::created_at).
    #[must_use]
    pub fn with_created_at(self, column: impl Into<String>) -> Self {
        Self { created_at: column.into(), ..self }
    }

    /// Sets the column of the [expiry](Self::expires_at).
    #[must_use]
    pub fn with_expires_at(self, column: impl Into<String>) -> Self {
        Self { expires_at: column.into(), ..self }
    }

    /// Sets what [closes](Self::close) a session.
    #[must_use]
    pub fn with_close(self, close: CloseAction) -> Self {
        Self { close, ..self }
    }

    /// Sets how logins of one user [wait for each other](Self::lock).
    #[must_use]
    pub fn with_lock(self, lock: UserLock) -> Self {
        Self { lock, ..self }
    }

    /// Sets [how many sessions](Self::max_sessions_per_user) of a user may be live.
    #[must_use]
    pub fn with_max_sessions_per_user(self, sessions: NonZeroU32) -> Self {
        Self { max_sessions_per_user: sessions, ..self }
    }

    /// Sets the [greatest age](Self::max_age) of a session: more than 0 and at most 1000 years.
    #[must_use]
    pub fn with_max_age(self, max_age: Duration) -> Self {
        Self { max_age: Some(max_age), ..self }
    }

    /// Sets how long a login [waits](Self::lock_timeout) for another one of the same user.
    #[must_use]
    pub fn with_lock_timeout(self, timeout: Duration) -> Self {
        Self { lock_timeout: timeout, ..self }
    }

    /// Sets the [limits](Self::limits) of a repair.
    #[must_use]
    pub fn with_limits(self, limits: InlineRepairLimits) -> Self {
        Self { limits, ..self }
    }

    /// Whether a closed session's row is gone.
    pub(super) fn deletes(&self) -> bool {
        matches!(self.close, CloseAction::Delete)
    }
}

/// What closes a session before it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseAction {
    /// Deletes its row. A login inserts the new session first, so that a unique index on the user alone is refused.
    Delete,
    /// Sets this `timestamptz` column, which is null until then, to the present time. A unique index on the user `WHERE`
    /// it `IS NULL` may then enforce one session for each user.
    RevokedAt {
        /// The column's name.
        column: String,
    },
    /// Sets this `boolean` column to this value.
    Flag {
        /// The column's name.
        column: String,
        /// The value that means closed.
        value: bool,
    },
}

/// What makes logins of one user wait for each other. Without it, two concurrent logins would leave two sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserLock {
    /// The user's row, locked `FOR NO KEY UPDATE`. The role needs `UPDATE` on a column of that table. A user without a
    /// row is refused.
    Row {
        /// The table of users.
        table: TableName,
        /// The column of the user's key.
        column: String,
    },
    /// An advisory lock on the table of sessions and the user, held until the transaction ends.
    Advisory,
}
