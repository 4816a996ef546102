//! Which table and columns sessions are kept in, checked against the catalog before the first login.

use crate::InlineRepairLimits;
use crate::session_store::StoreError;
use pgmedic_core::TableName;
use sqlx::Row;
use sqlx::postgres::{PgPool, PgRow};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

/// The table of sessions, its columns, and what is done with them. The default is that of
/// `docs/migrations/user_sessions.sql`, with one live session per user.
#[derive(Debug, Clone)]
pub struct SessionTable {
    pub table: TableName,
    /// An integer column, the table's key, fed by a sequence.
    pub id: String,
    /// `smallint`, `integer`, `bigint`, `uuid`, `text` or `varchar`; an index should lead with it.
    pub user: String,
    /// `bytea`, alone in a unique index.
    pub token_hash: String,
    /// `timestamptz`.
    pub created_at: String,
    /// `timestamptz`. The database's clock decides.
    pub expires_at: String,
    pub close: CloseAction,
    pub lock: UserLock,
    /// How many sessions of a user's may be live, the newest of them.
    pub max_sessions_per_user: NonZeroU32,
    /// How long after its creation a session ends, however often it is touched.
    pub max_age: Option<Duration>,
    /// The longest that a login waits for another one of the same user's.
    pub lock_timeout: Duration,
    /// How far an insert that meets drift repairs itself.
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

/// What becomes of a session that ends before it expires.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CloseAction {
    /// Its row is deleted, after the new one is inserted: a unique index on the user alone is refused.
    Delete,
    /// This `timestamptz` column, null until then, says when; a unique index on the user, where it is null, may hold a
    /// user to one session.
    RevokedAt { column: String },
    /// This `boolean` column gets this value.
    Flag { column: String, value: bool },
}

/// What makes logins of the same user wait for each other: without it, two at once leave two sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserLock {
    /// The user's row, `FOR NO KEY UPDATE`; the role needs `UPDATE` on a column of that table. A user who has none is
    /// refused.
    Row { table: TableName, column: String },
    /// An advisory lock of the transaction's, by table and user.
    Advisory,
}

/// The names of a layout, quoted by the server, and what else the statements need.
#[derive(Debug)]
pub(super) struct QuotedNames {
    pub table: String,
    pub id: String,
    pub user: String,
    pub user_type: String,
    pub token_hash: String,
    pub created_at: String,
    pub expires_at: String,
    /// Of [`Close`].
    pub mark: Option<String>,
    /// Table, column and its type, of [`UserLock::Row`].
    pub users: Option<(String, String, String)>,
}

const INTEGERS: &[&str] = &["smallint", "integer", "bigint"];
const USERS: &[&str] = &["smallint", "integer", "bigint", "uuid", "text", "character varying"];
const TIMESTAMPTZ: &[&str] = &["timestamp with time zone"];

impl SessionTable {
    pub(super) async fn check(&self, pool: &PgPool) -> Result<QuotedNames, StoreError> {
        let deletes = matches!(self.close, CloseAction::Delete);
        let table = Table::read(pool, &self.table, deletes).await?;
        let (token_hash, _) = table.column(&self.token_hash, &["bytea"])?;
        let (user, user_type) = table.column(&self.user, USERS)?;
        if !table.unique.contains(&self.token_hash) {
            let name = &table.quoted;
            return Err(StoreError::SessionTable(format!(
                "{name}.{token_hash} has no unique index of its own, which every look-up needs: CREATE UNIQUE INDEX \
                 CONCURRENTLY ON {name} ({token_hash})"
            )));
        }
        if let Some(index) = table.unique_alone.get(&self.user) {
            let name = &table.quoted;
            let why = if deletes { "the new session is inserted before the older are deleted" } else { "rows stay" };
            return Err(StoreError::SessionTable(format!(
                "{index} lets each {user} be in {name} once, and {why}, so that every second login would fail: drop \
                 it, or close sessions by Close::RevokedAt and make it UNIQUE ({user}) WHERE that column IS NULL"
            )));
        }
        if !table.leading.contains(&self.user) {
            let name = &table.quoted;
            tracing::warn!("each login reads all of {name}: CREATE INDEX CONCURRENTLY ON {name} ({user})");
        }
        let mark = match &self.close {
            CloseAction::Delete => None,
            CloseAction::RevokedAt { column } => Some(table.column(column, TIMESTAMPTZ)?.0),
            CloseAction::Flag { column, .. } => Some(table.column(column, &["boolean"])?.0),
        };
        let users = match &self.lock {
            UserLock::Advisory => None,
            UserLock::Row { table, column } => {
                let users = Table::read(pool, table, deletes).await?;
                let (column, kind) = users.column(column, USERS)?;
                Some((users.quoted, column, kind))
            }
        };
        Ok(QuotedNames {
            id: table.column(&self.id, INTEGERS)?.0,
            created_at: table.column(&self.created_at, TIMESTAMPTZ)?.0,
            expires_at: table.column(&self.expires_at, TIMESTAMPTZ)?.0,
            table: table.quoted,
            user,
            user_type,
            token_hash,
            mark,
            users,
        })
    }
}

/// The server's answer to: which columns, of which type, and which indexes; in one message, which any pooler allows.
const COLUMNS: &str = "\
    /* pgmedic:session-table */
    SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.relname) AS table_quoted,
           a.attname::text AS name, pg_catalog.quote_ident(a.attname) AS quoted,
           pg_catalog.format_type(a.atttypid, NULL) AS type,
           EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisunique AND x.indisvalid
                   AND x.indpred IS NULL AND x.indnkeyatts = 1 AND x.indkey[0] = a.attnum) AS is_unique,
           EXISTS (SELECT FROM pg_catalog.pg_index x WHERE x.indrelid = c.oid AND x.indisvalid
                   AND x.indkey[0] = a.attnum) AS leads,
           (SELECT min(pg_catalog.quote_ident(i.relname)) FROM pg_catalog.pg_index x
            JOIN pg_catalog.pg_class i ON i.oid = x.indexrelid
            WHERE x.indrelid = c.oid AND x.indisunique AND x.indpred IS NULL AND x.indnkeyatts = 1
              AND x.indkey[0] = a.attnum
              -- Deferred to COMMIT, it is looked at when the older row is gone.
              AND NOT ($3 AND EXISTS (SELECT FROM pg_catalog.pg_constraint k
                                      WHERE k.conindid = i.oid AND k.conrelid = c.oid AND k.condeferred))) AS only_one
    FROM pg_catalog.pg_namespace n
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE n.nspname = $1 AND c.relname = $2";

/// A table and its columns.
struct Table {
    quoted: String,
    /// By name: quoted, and of which type.
    columns: HashMap<String, (String, String)>,
    /// Alone in a unique index.
    unique: Vec<String>,
    /// First in an index.
    leading: Vec<String>,
    /// A unique index, by the column that it is on alone, which an insert meets while the older row is there.
    unique_alone: HashMap<String, String>,
}

impl Table {
    async fn read(pool: &PgPool, name: &TableName, deletes: bool) -> Result<Self, StoreError> {
        let mut transaction = pool.begin_with(BEGIN).await?;
        let query = sqlx::query(COLUMNS).bind(&name.schema).bind(&name.name).bind(deletes).persistent(false);
        let rows = query.fetch_all(&mut *transaction).await?;
        transaction.rollback().await?;
        let Some(first) = rows.first() else {
            return Err(StoreError::SessionTable(format!("there is no table {name}; correct the name, or create it")));
        };
        let mut table = Self {
            quoted: first.try_get("table_quoted")?,
            columns: HashMap::new(),
            unique: Vec::new(),
            leading: Vec::new(),
            unique_alone: HashMap::new(),
        };
        rows.iter().try_for_each(|row| table.take_in(row))?;
        Ok(table)
    }

    fn take_in(&mut self, row: &PgRow) -> Result<(), sqlx::Error> {
        let name: String = row.try_get("name")?;
        if row.try_get("is_unique")? {
            self.unique.push(name.clone());
        }
        if row.try_get("leads")? {
            self.leading.push(name.clone());
        }
        if let Some(index) = row.try_get("only_one")? {
            self.unique_alone.insert(name.clone(), index);
        }
        self.columns.insert(name, (row.try_get("quoted")?, row.try_get("type")?));
        Ok(())
    }

    /// Quoted name and type of a column, which must be one of `expected`.
    fn column(&self, name: &str, expected: &[&str]) -> Result<(String, String), StoreError> {
        let table = &self.quoted;
        let Some((quoted, kind)) = self.columns.get(name) else {
            return Err(StoreError::SessionTable(format!(
                "{table} has no column {name:?}; correct the name, or add it"
            )));
        };
        if !expected.contains(&kind.as_str()) {
            let expected = expected.join(", ");
            return Err(StoreError::SessionTable(format!("{table}.{quoted} is {kind}; expected {expected}")));
        }
        Ok((quoted.clone(), kind.clone()))
    }
}

/// Types and names come as they are spelt without any search path of the user's.
const BEGIN: &str = "\
    /* pgmedic:session-table */ BEGIN READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; \
    SET LOCAL quote_all_identifiers = off; SET LOCAL statement_timeout = 5000";
