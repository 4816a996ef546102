//! Compares a [`SessionTable`] with the database before the first login, and reads how its names are quoted.

use super::error::{SessionTableError, StoreError};
use super::session_table::{CloseAction, SessionTable, UserLock};
use pgmedic_core::TableName;
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use std::collections::{HashMap, HashSet};

/// The names of a [`SessionTable`], quoted by the server, and types that the statements need.
#[derive(Debug)]
pub(super) struct QuotedNames {
    pub table: String,
    pub id: String,
    pub user: String,
    pub user_type: String,
    pub token_hash: String,
    pub created_at: String,
    pub expires_at: String,
    /// The column of [`CloseAction::RevokedAt`] or [`CloseAction::Flag`].
    pub close_column: Option<String>,
    pub users: Option<QuotedUsers>,
}

/// The names of [`UserLock::Row`].
#[derive(Debug)]
pub(super) struct QuotedUsers {
    pub table: String,
    pub column: String,
    pub column_type: String,
}

const INTEGERS: &[&str] = &["smallint", "integer", "bigint"];
const USERS: &[&str] = &["smallint", "integer", "bigint", "uuid", "text", "character varying"];
const TIMESTAMPTZ: &[&str] = &["timestamp with time zone"];

/// Checks that the table and its columns exist, and that its indexes allow the store's statements.
pub(super) async fn check(sessions: &SessionTable, pool: &PgPool) -> Result<QuotedNames, StoreError> {
    let table = CatalogTable::read(pool, &sessions.table, sessions.deletes()).await?;
    let (token_hash, _) = table.column(&sessions.token_hash, &["bytea"])?;
    let (user, user_type) = table.column(&sessions.user, USERS)?;
    if !table.unique.contains(&sessions.token_hash) {
        return Err(SessionTableError::NoTokenIndex { table: table.quoted, column: token_hash }.into());
    }
    if let Some(index) = table.unique_alone.get(&sessions.user) {
        return Err(SessionTableError::UniqueUser {
            index: index.clone(),
            table: table.quoted,
            column: user,
            deletes: sessions.deletes(),
        }
        .into());
    }
    if !table.leading.contains(&sessions.user) {
        let name = &table.quoted;
        tracing::warn!("each login reads all of {name}: CREATE INDEX CONCURRENTLY ON {name} ({user})");
    }
    let close_column = match &sessions.close {
        CloseAction::Delete => None,
        CloseAction::RevokedAt { column } => Some(table.column(column, TIMESTAMPTZ)?.0),
        CloseAction::Flag { column, .. } => Some(table.column(column, &["boolean"])?.0),
    };
    let users = match &sessions.lock {
        UserLock::Advisory => None,
        UserLock::Row { table, column } => {
            let users = CatalogTable::read(pool, table, sessions.deletes()).await?;
            let (column, column_type) = users.column(column, USERS)?;
            Some(QuotedUsers { table: users.quoted, column, column_type })
        }
    };
    Ok(QuotedNames {
        id: table.column(&sessions.id, INTEGERS)?.0,
        created_at: table.column(&sessions.created_at, TIMESTAMPTZ)?.0,
        expires_at: table.column(&sessions.expires_at, TIMESTAMPTZ)?.0,
        table: table.quoted,
        user,
        user_type,
        token_hash,
        close_column,
        users,
    })
}

const TABLE_COLUMNS: &str = include_str!("table_columns.sql");

/// Makes the server write types and quoted names in one way, regardless of the role's settings.
const BEGIN: &str = "\
    /* pgmedic:session-table */ BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; \
    SET LOCAL quote_all_identifiers = off; SET LOCAL statement_timeout = 5000";

/// A table and its columns as the catalog has them.
struct CatalogTable {
    quoted: String,
    /// Each column's quoted name and type, by its name.
    columns: HashMap<String, (String, String)>,
    /// Columns with a unique index on them alone that covers every row.
    unique: HashSet<String>,
    /// Columns with which an index begins.
    leading: HashSet<String>,
    /// By column: a unique index on it alone, against which an insert fails while the older row is there.
    unique_alone: HashMap<String, String>,
}

impl CatalogTable {
    /// `deletes`: whether an older row is gone when a deferred constraint is checked.
    async fn read(pool: &PgPool, name: &TableName, deletes: bool) -> Result<Self, StoreError> {
        let mut transaction = pool.begin_with(BEGIN).await?;
        let query = sqlx::query(TABLE_COLUMNS).bind(&name.schema).bind(&name.name).bind(deletes).persistent(false);
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        let Some(first) = rows.first() else {
            return Err(SessionTableError::NoTable { table: name.clone() }.into());
        };
        let mut table = Self {
            quoted: first.try_get("table_quoted")?,
            columns: HashMap::new(),
            unique: HashSet::new(),
            leading: HashSet::new(),
            unique_alone: HashMap::new(),
        };
        for row in &rows {
            table.add_column(row)?;
        }
        Ok(table)
    }

    fn add_column(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let name: String = row.try_get("name")?;
        if row.try_get("is_unique")? {
            self.unique.insert(name.clone());
        }
        if row.try_get("leads")? {
            self.leading.insert(name.clone());
        }
        if let Some(index) = row.try_get("unique_alone")? {
            self.unique_alone.insert(name.clone(), index);
        }
        self.columns.insert(name, (row.try_get("quoted")?, row.try_get("type")?));
        Ok(())
    }

    /// Quoted name and type of a column, whose type must be one of `expected`.
    fn column(&self, name: &str, expected: &'static [&'static str]) -> Result<(String, String), SessionTableError> {
        let table = || self.quoted.clone();
        let Some((quoted, kind)) = self.columns.get(name) else {
            return Err(SessionTableError::NoColumn { table: table(), column: name.to_owned() });
        };
        if !expected.contains(&kind.as_str()) {
            let (column, found) = (quoted.clone(), kind.clone());
            return Err(SessionTableError::ColumnType { table: table(), column, found, expected });
        }
        Ok((quoted.clone(), kind.clone()))
    }
}
