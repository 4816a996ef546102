//! The store's statements, made once. Names in them are quoted by the server. They run under the application's own
//! search path, which its triggers may need; so operators and functions are named with their schema.

use crate::session_store::session_table::{CloseAction, QuotedNames, SessionTable};
use pgmedic_core::quote_literal;
use std::fmt::Write;
use std::time::Duration;

#[derive(Debug)]
pub(super) struct StoreSql {
    names: QuotedNames,
    /// Begins a transaction in which a second login of a user's sees what the first has done once it has the lock:
    /// each statement by itself, whatever isolation the application prefers.
    pub begin: String,
    /// $1 user, as text. Answers with a row, or none for a user that is not there.
    pub lock: String,
    /// $1 user, $2 the id of the new session, or null before there is one. Closes all but that and the newest that may
    /// stay beside it.
    pub make_room: String,
    /// $1 user.
    pub close_all: String,
    /// $1 user, $2 hash in hexadecimal digits, $3 seconds to live. Answers with the id.
    pub insert: String,
    /// `AND` a session `s` is live.
    live: String,
    /// `DELETE FROM …` or `UPDATE … SET …` of `s`.
    close: String,
    /// `AND` a session `s` is not closed yet.
    open: String,
    max_age: Option<Duration>,
}

impl StoreSql {
    pub(super) fn new(layout: &SessionTable, names: QuotedNames) -> Self {
        let QuotedNames { table, id, user, user_type, token_hash, created_at, expires_at, mark, users } = &names;
        let mark = mark.as_deref().unwrap_or_default();
        let (close, open) = match &layout.close {
            CloseAction::Delete => (format!("DELETE FROM {table} AS s"), String::new()),
            CloseAction::RevokedAt { .. } => (
                format!("UPDATE {table} AS s SET {mark} = pg_catalog.clock_timestamp()"),
                format!(" AND s.{mark} IS NULL"),
            ),
            CloseAction::Flag { value, .. } => {
                (format!("UPDATE {table} AS s SET {mark} = {value}"), format!(" AND s.{mark} IS NOT {value}"))
            }
        };
        let live = format!("{open} AND s.{expires_at} OPERATOR(pg_catalog.>) pg_catalog.clock_timestamp()");
        let of_user = format!("s.{user} OPERATOR(pg_catalog.=) $1::pg_catalog.text::{user_type}");
        let others = layout.max_sessions_per_user.get() - 1;
        let old = format!("($2::pg_catalog.int8 IS NULL OR s.{id} OPERATOR(pg_catalog.<>) $2::pg_catalog.int8)");
        let kept = format!(
            "SELECT s.{id} FROM {table} AS s WHERE {of_user}{live} AND {old} \
             ORDER BY s.{created_at} DESC, s.{id} DESC LIMIT {others}"
        );
        let lock = match users {
            Some((users, column, kind)) => format!(
                "SELECT 1 FROM {users} AS u WHERE u.{column} OPERATOR(pg_catalog.=) $1::pg_catalog.text::{kind} \
                 FOR NO KEY UPDATE"
            ),
            None => format!(
                "SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended(pg_catalog.concat({}, ' ', \
                 $1::pg_catalog.text::{user_type}), 0))",
                quote_literal(table)
            ),
        };
        Self {
            begin: format!(
                "/* pgmedic:login */ BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL lock_timeout = {}",
                layout.lock_timeout.as_millis().max(1)
            ),
            lock: format!("/* pgmedic:login */ {lock}"),
            make_room: format!(
                "/* pgmedic:login */ {close} WHERE {of_user}{open} AND {old} \
                 AND s.{id} OPERATOR(pg_catalog.<>) ALL ({kept})"
            ),
            close_all: format!("/* pgmedic:revoke */ {close} WHERE {of_user}{open}"),
            insert: format!(
                "/* pgmedic:login */ INSERT INTO {table} ({user}, {token_hash}, {created_at}, {expires_at}) \
                 SELECT $1::pg_catalog.text::{user_type}, pg_catalog.decode($2, 'hex'), n.now, \
                        n.now OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => $3) \
                 FROM pg_catalog.clock_timestamp() AS n (now) RETURNING {id}::pg_catalog.int8"
            ),
            live,
            close,
            open,
            max_age: layout.max_age,
            names,
        }
    }

    /// Answers with the session's id, user and seconds to live. The hash is in hexadecimal digits of ours.
    pub(super) fn find(&self, hash: &str) -> String {
        let QuotedNames { table, .. } = &self.names;
        format!(
            "/* pgmedic:find */ SELECT {} FROM {table} AS s WHERE {}{}",
            self.answer(),
            self.token_condition(hash),
            self.live
        )
    }

    /// Lets a live session go on for `ttl` from now, and answers as `find` does.
    pub(super) fn touch(&self, hash: &str, ttl: Duration) -> String {
        let QuotedNames { table, created_at, expires_at, .. } = &self.names;
        let from = |start: &str, span: Duration| {
            format!("{start} OPERATOR(pg_catalog.+) pg_catalog.make_interval(secs => {})", span.as_secs_f64())
        };
        let mut until = from("pg_catalog.clock_timestamp()", ttl);
        if let Some(max_age) = self.max_age {
            until = format!("LEAST({until}, {})", from(&format!("s.{created_at}"), max_age));
        }
        let mut statement = format!("/* pgmedic:touch */ UPDATE {table} AS s SET {expires_at} = {until} WHERE ");
        // Writing to a String cannot fail.
        let _ = write!(statement, "{}{} RETURNING {}", self.token_condition(hash), self.live, self.answer());
        statement
    }

    /// Closes one session.
    pub(super) fn revoke(&self, hash: &str) -> String {
        format!("/* pgmedic:revoke */ {} WHERE {}{}", self.close, self.token_condition(hash), self.open)
    }

    fn token_condition(&self, hash: &str) -> String {
        let QuotedNames { token_hash, .. } = &self.names;
        format!("s.{token_hash} OPERATOR(pg_catalog.=) pg_catalog.decode('{hash}', 'hex')")
    }

    fn answer(&self) -> String {
        let QuotedNames { id, user, expires_at, .. } = &self.names;
        format!(
            "s.{id}::pg_catalog.int8, s.{user}::pg_catalog.text, \
             CASE WHEN pg_catalog.isfinite(s.{expires_at}) THEN pg_catalog.date_part('epoch', \
             s.{expires_at} OPERATOR(pg_catalog.-) pg_catalog.clock_timestamp()) ELSE 'Infinity' END"
        )
    }
}
