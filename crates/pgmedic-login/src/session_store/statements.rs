//! The SQL of the session store, made once from names that the server quoted.
//!
//! It runs under the application's search path, which its triggers may need. Operators and functions are therefore named
//! with their schema.

use super::catalog::{QuotedNames, QuotedUsers};
use super::session_table::{CloseAction, SessionTable};
use pgmedic_core::{positive_milliseconds, quote_literal};
use std::time::Duration;

/// Places of values in the statements. No name holds a zero byte, so that none is taken for a place.
const USER: &str = "\0user";
const NEW: &str = "\0new";
const HASH: &str = "\0hash";
const TTL: &str = "\0ttl";

/// Statements, and parts of statements, about one table of sessions, whose alias is `s`. Values are written into them: one
/// message of several statements takes no parameters.
#[derive(Debug)]
pub(super) struct StoreSql {
    names: QuotedNames,
    /// Begins a transaction at `READ COMMITTED`, regardless of the application's default: once a second login of a user
    /// has the lock, its statements must see what the first login did.
    pub begin: String,
    lock: String,
    close_excess: String,
    close_all: String,
    insert: String,
    /// `AND` the session is live.
    live: String,
    /// `DELETE FROM …` or `UPDATE … SET …`, without the condition.
    close: String,
    /// `AND` the session is not closed.
    open: String,
    max_age: Option<Duration>,
}

impl StoreSql {
    pub(super) fn new(sessions: &SessionTable, names: QuotedNames) -> Self {
        let QuotedNames { table, id, user, user_type, token_hash, created_at, expires_at, close_column, users } =
            &names;
        let close_column = close_column.as_deref().unwrap_or_default();
        let (close, open) = match &sessions.close {
            CloseAction::Delete => (format!("DELETE FROM {table} AS s"), String::new()),
            CloseAction::RevokedAt { .. } => (
                format!("UPDATE {table} AS s SET {close_column} = pg_catalog.clock_timestamp()"),
                format!(" AND s.{close_column} IS NULL"),
            ),
            CloseAction::Flag { value, .. } => (
                format!("UPDATE {table} AS s SET {close_column} = {value}"),
                format!(" AND s.{close_column} IS NOT {value}"),
            ),
        };
        let live = format!("{open} AND s.{expires_at} OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()");
        let of_user = format!("s.{user} OPERATOR(pg_catalog.=) {USER}::pg_catalog.text::{user_type}");
        let others = sessions.max_sessions_per_user.get() - 1;
        let not_new =
            format!("({NEW}::pg_catalog.int8 IS NULL OR s.{id} OPERATOR(pg_catalog.<>) {NEW}::pg_catalog.int8)");
        let kept = format!(
            "SELECT s.{id} FROM {table} AS s WHERE {of_user}{live} AND {not_new} \
             ORDER BY s.{created_at} DESC, s.{id} DESC LIMIT {others}"
        );
        let user_row = users.as_ref().map(|QuotedUsers { table, column, column_type }| {
            format!("FROM {table} AS u WHERE u.{column} OPERATOR(pg_catalog.=) {USER}::pg_catalog.text::{column_type}")
        });
        // A user without a row gets no session.
        let known = user_row.as_ref().map_or_else(String::new, |row| format!(" WHERE EXISTS (SELECT {row})"));
        let lock = match &user_row {
            Some(row) => format!("SELECT 1 {row} FOR NO KEY UPDATE"),
            None => format!(
                "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(pg_catalog.concat({}, ' ', \
                 {USER}::pg_catalog.text::{user_type}), 0))",
                quote_literal(table)
            ),
        };
        Self {
            begin: format!(
                "/* pgmedic:login */ BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {}",
                positive_milliseconds(sessions.lock_timeout)
            ),
            lock: format!("/* pgmedic:login */ {lock}"),
            close_excess: format!(
                "/* pgmedic:login */ {close} WHERE {of_user}{open} AND {not_new} \
                 AND s.{id} OPERATOR(pg_catalog.<>) ALL ({kept}) RETURNING 1 AS closed"
            ),
            close_all: format!("/* pgmedic:revoke */ {close} WHERE {of_user}{open}"),
            insert: format!(
                "/* pgmedic:login */ INSERT INTO {table} ({user}, {token_hash}, {created_at}, {expires_at}) \
                 SELECT {USER}::pg_catalog.text::{user_type}, pg_catalog.decode('{HASH}', 'hex'), n.now, \
                        n.now OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => {TTL}) \
                 FROM pg_catalog.clock_timestamp() AS n (now){known} RETURNING {id}::pg_catalog.int8 AS id"
            ),
            live,
            close,
            open,
            max_age: sessions.max_age,
            names,
        }
    }

    /// Locks the user. Returns a row, or none if there is no such user.
    pub(super) fn lock(&self, user: &str) -> String {
        self.lock.replace(USER, &quote_literal(user))
    }

    /// Closes the oldest sessions of the user, except for those that may stay beside the new one, which is none before it is
    /// inserted. Returns a row for each.
    pub(super) fn close_excess(&self, user: &str, new: Option<i64>) -> String {
        let new = new.map_or("NULL".to_owned(), |id| id.to_string());
        self.close_excess.replace(NEW, &new).replace(USER, &quote_literal(user))
    }

    /// Closes all sessions of the user.
    pub(super) fn close_all(&self, user: &str) -> String {
        self.close_all.replace(USER, &quote_literal(user))
    }

    /// Inserts a session of the user with this hash, in hexadecimal digits, that lives for so many seconds. Returns its id, or
    /// no row if there is no such user.
    pub(super) fn insert(&self, user: &str, hash: &str, ttl: f64) -> String {
        self.insert.replace(HASH, hash).replace(TTL, &ttl.to_string()).replace(USER, &quote_literal(user))
    }

    /// Selects the id, user and seconds to live of the live session with this hash, which [`hash`](super::token::hash)
    /// made: hexadecimal digits, and so safe in SQL.
    pub(super) fn find(&self, hash: &str) -> String {
        let QuotedNames { table, .. } = &self.names;
        let (condition, live, columns) = (self.token_condition(hash), &self.live, self.columns());
        format!("/* pgmedic:find */ SELECT {columns} FROM {table} AS s WHERE {condition}{live}")
    }

    /// Lets a live session end `ttl` from now, or at its greatest age, and returns what `find` does.
    pub(super) fn touch(&self, hash: &str, ttl: Duration) -> String {
        let QuotedNames { table, created_at, expires_at, .. } = &self.names;
        let after = |start: &str, span: Duration| {
            format!("{start} OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => {})", span.as_secs_f64())
        };
        let mut until = after("pg_catalog.clock_timestamp()", ttl);
        if let Some(max_age) = self.max_age {
            until = format!("LEAST({until}, {})", after(&format!("s.{created_at}"), max_age));
        }
        let (condition, live, columns) = (self.token_condition(hash), &self.live, self.columns());
        format!(
            "/* pgmedic:touch */ UPDATE {table} AS s SET {expires_at} = {until} WHERE {condition}{live} \
             RETURNING {columns}"
        )
    }

    /// Closes the session with this hash.
    pub(super) fn revoke(&self, hash: &str) -> String {
        format!("/* pgmedic:revoke */ {} WHERE {}{}", self.close, self.token_condition(hash), self.open)
    }

    fn token_condition(&self, hash: &str) -> String {
        let QuotedNames { token_hash, .. } = &self.names;
        format!("s.{token_hash} OPERATOR(pg_catalog.=) pg_catalog.decode('{hash}', 'hex')")
    }

    /// What `find` and `touch` return.
    fn columns(&self) -> String {
        let QuotedNames { id, user, expires_at, .. } = &self.names;
        format!(
            "s.{id}::pg_catalog.int8, s.{user}::pg_catalog.text, \
             CASE WHEN pg_catalog.isfinite(s.{expires_at}) THEN pg_catalog.date_part('epoch', \
             s.{expires_at} OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp()) ELSE 'Infinity' END"
        )
    }
}
