//! The SQL of a sweep: names that the server quoted, and constants of our own.

use super::plausibility::{EARLIEST, FURTHEST, SAMPLE};
use super::store::{EndAction, PerUserLimit, ResolvedStore, TimeColumn, TimeType};
use super::times::{MIN_TIME, time_literal};
use crate::config::Encoding;

/// One constant for each end of a store: a column's value up to it means that the session is over.
pub type Cutoffs = Vec<String>;

/// Writes the statements for one store.
pub struct SweepSql<'a> {
    pub store: &'a ResolvedStore,
    pub encoding: &'a Encoding,
    /// The database's clock, in microseconds since 1970, and what a clock in the writer's zone shows then.
    pub now: i64,
    pub now_shown: i64,
}

impl SweepSql<'_> {
    fn constant(&self, at: i64) -> String {
        time_literal(self.encoding, at)
    }

    /// The column holds the time of a session at all. 0 and less mean never, and so do NULL, infinity and the type's
    /// largest value; what lies before there were any is some other number, and nobody is logged out by it.
    fn is_time(&self, column: &TimeColumn) -> String {
        self.is_time_after(EARLIEST, column)
    }

    fn is_time_after(&self, lowest: i64, column: &TimeColumn) -> String {
        let lowest = self.constant(lowest);
        let highest = match column.time_type {
            TimeType::Int4 => i32::MAX.to_string(),
            TimeType::Int8 => i64::MAX.to_string(),
            TimeType::Timestamptz => "'infinity'::timestamptz".to_owned(),
            TimeType::Timestamp => "'infinity'::timestamp".to_owned(),
        };
        let name = &column.name;
        format!("t.{name} > {lowest} AND t.{name} < {highest}")
    }

    /// The session is over by this end.
    fn expired_by_condition(&self, end: usize, bounds: &Cutoffs) -> String {
        match (self.store.ends.get(end), bounds.get(end)) {
            (Some(end), Some(bound)) => format!("{} AND t.{} <= {bound}", self.is_time(&end.column), end.column.name),
            // There is one bound for each end.
            _ => "false".to_owned(),
        }
    }

    /// The session is over by any end; false, never NULL, where it is not.
    fn expired_condition(&self, bounds: &Cutoffs) -> String {
        let ends: Vec<String> =
            (0..self.store.ends.len()).map(|end| format!("({})", self.expired_by_condition(end, bounds))).collect();
        format!("coalesce({}, false)", ends.join(" OR "))
    }

    /// The row was not revoked before.
    fn not_revoked_condition(&self) -> Option<String> {
        match &self.store.action {
            EndAction::Delete => None,
            EndAction::Set { column, value } => Some(format!("t.{column} IS DISTINCT FROM {value}")),
            EndAction::Stamp(column) => Some(format!("t.{} IS NULL", column.name)),
        }
    }

    fn and_unrevoked(&self) -> String {
        self.not_revoked_condition().map_or_else(String::new, |condition| format!(" AND {condition}"))
    }

    /// Stale; live; live by the clock now too, and with an end; stale and live at the last look, if there was one; without
    /// any end: in one scan.
    pub fn count(&self, bounds: &Cutoffs, by_now: &Cutoffs, swept: Option<&Cutoffs>) -> String {
        let before = swept.map_or_else(|| "false".to_owned(), |swept| self.expired_condition(swept));
        let filter = self.not_revoked_condition().map_or_else(String::new, |condition| format!(" WHERE {condition}"));
        format!(
            "SELECT count(*) FILTER (WHERE over), count(*) FILTER (WHERE NOT over),
                    count(*) FILTER (WHERE NOT over_by_now AND ends), count(*) FILTER (WHERE over AND NOT over_before),
                    count(*) FILTER (WHERE NOT ends)
             FROM (SELECT {} AS over, {} AS over_by_now, {before} AS over_before, {} AS ends FROM {} AS t{filter}) AS s",
            self.expired_condition(bounds),
            self.expired_condition(by_now),
            self.has_expiry_condition(),
            self.table()
        )
    }

    /// Some column says when the session ends; false, never NULL, where none does.
    fn has_expiry_condition(&self) -> String {
        let times: Vec<String> = self.store.ends.iter().map(|end| format!("({})", self.is_time(&end.column))).collect();
        format!("coalesce({}, false)", times.join(" OR "))
    }

    fn table(&self) -> String {
        self.store.from()
    }

    /// The same of a store that is too large to be scanned: up to `most` of each, found by the ends' indexes. Sessions
    /// that never end are not found.
    pub fn count_some(&self, bounds: &Cutoffs, by_now: &Cutoffs, swept: Option<&Cutoffs>, most: u64) -> Vec<String> {
        let table = self.table();
        let rest = self.and_unrevoked();
        let some = |condition: String| {
            format!("(SELECT count(*) FROM (SELECT FROM {table} AS t WHERE {condition}{rest} LIMIT {most}) AS s)")
        };
        let ends = self.store.ends.iter().enumerate().map(|(index, end)| {
            let live = |bounds: &Cutoffs| {
                let bound = bounds.get(index).map_or("NULL", String::as_str);
                some(format!("t.{} > {bound} AND NOT {}", end.column.name, self.expired_condition(bounds)))
            };
            let stale = some(self.expired_by_condition(index, bounds));
            let fresh = swept.and_then(|swept| swept.get(index)).map_or_else(
                || "0::bigint".to_owned(),
                |bound| {
                    some(format!("{} AND t.{} > {bound}", self.expired_by_condition(index, bounds), end.column.name))
                },
            );
            format!("SELECT {stale}, {}, {}, {fresh}, 0::bigint", live(bounds), live(by_now))
        });
        ends.collect()
    }

    /// The newest values of an end's column, as microseconds; whether any lies too far ahead; how many too far back.
    pub fn sample(&self, end: &TimeColumn, floor: u64) -> [String; 2] {
        let (table, name) = (self.table(), &end.name);
        let furthest = self.constant(self.now.saturating_add(FURTHEST));
        let (is_time, rest) = (self.is_time_after(MIN_TIME, end), self.and_unrevoked());
        [
            format!(
                "SELECT {} FROM {table} AS t WHERE {is_time} AND t.{name} <= {furthest}{rest}
                 ORDER BY t.{name} DESC LIMIT {SAMPLE}",
                self.micros(&format!("t.{name}"))
            ),
            format!(
                "SELECT EXISTS (SELECT FROM {table} AS t WHERE {is_time} AND t.{name} > {furthest}{rest}),
                        (SELECT count(*) FROM (SELECT FROM {table} AS t WHERE {is_time} AND t.{name} < {}{rest}
                                               LIMIT {}) AS s)",
                self.constant(EARLIEST),
                floor.saturating_add(1)
            ),
        ]
    }

    /// A time as microseconds since 1970; a naive one as if it were UTC.
    fn micros(&self, value: &str) -> String {
        match self.encoding {
            Encoding::Timestamptz | Encoding::Timestamp { .. } => {
                format!("(extract(epoch FROM {value}) * 1000000)::bigint")
            }
            // A number that is no time must not overflow.
            Encoding::EpochSeconds => format!("(least({value}, 9000000000000)::bigint * 1000000)"),
            Encoding::EpochMillis => format!("(least({value}, 9000000000000000)::bigint * 1000)"),
        }
    }

    /// Ends one batch of sessions that are over by this end, from `cursor` on. Returns how many were ended, how many
    /// were found, and the last one's time.
    ///
    /// What is locked is left alone, and judged again as it is then: nothing that is being extended is waited for, or
    /// ended. The addresses are materialized, because a join could run a LIMIT again for each row.
    pub fn batch(&self, end: usize, bounds: &Cutoffs, cursor: Option<i64>, size: u32) -> String {
        let Some(column) = self.store.ends.get(end).map(|end| &end.column) else { return "SELECT 0, 0, 0".to_owned() };
        let (table, name) = (self.table(), &column.name);
        let condition = format!("{}{}", self.expired_by_condition(end, bounds), self.and_unrevoked());
        // One less than what was read, because that was rounded.
        let from = cursor.map_or_else(String::new, |at| format!(" AND t.{name} >= {}", self.constant(at - 1)));
        format!(
            "WITH doomed AS MATERIALIZED (
                 SELECT t.ctid AS address{tableoid}, t.{name} AS at FROM {table} AS t
                 WHERE {condition}{from} ORDER BY t.{name} LIMIT {size} FOR {lock} SKIP LOCKED),
             ended AS ({action} WHERE {is_doomed} AND {condition} RETURNING 1)
             SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM doomed), (SELECT {last} FROM doomed)",
            tableoid = self.tableoid(),
            lock = self.lock(),
            action = self.end_statement(),
            is_doomed = self.is_selected_condition(),
            last = self.micros("max(at)"),
        )
    }

    /// How many live sessions are beyond the newest `keep` of their users, and how many one user has of them.
    pub fn count_superseded(&self, bounds: &Cutoffs, limit: &PerUserLimit) -> String {
        format!(
            "SELECT coalesce(sum(s.count), 0)::bigint, coalesce(max(s.count), 0)::bigint
             FROM (SELECT count(*) FROM ({}) AS r WHERE r.place > {} GROUP BY r.owner) AS s",
            self.ranked(bounds, limit),
            limit.max
        )
    }

    /// Ends one batch of them. Sessions of the same age share a place, so none is ended that might be the newest.
    pub fn supersede(&self, bounds: &Cutoffs, limit: &PerUserLimit, size: u32) -> String {
        let table = self.table();
        let condition = format!("NOT {}{}", self.expired_condition(bounds), self.and_unrevoked());
        let same_table = if self.store.has_children { " AND t.tableoid = r.tableoid" } else { "" };
        format!(
            "WITH ranked AS MATERIALIZED (SELECT * FROM ({ranked}) AS r WHERE r.place > {keep} LIMIT {size}),
             doomed AS MATERIALIZED (
                 SELECT t.ctid AS address{tableoid} FROM {table} AS t
                 JOIN ranked AS r ON t.ctid = r.address{same_table} AND {age} = r.age
                 WHERE {condition} FOR {lock} OF t SKIP LOCKED),
             ended AS ({action} WHERE {is_doomed} AND {condition} RETURNING 1)
             SELECT (SELECT count(*) FROM ended), (SELECT count(*) FROM ranked)",
            ranked = self.ranked(bounds, limit),
            keep = limit.max,
            tableoid = self.tableoid(),
            age = format!("t.{}", limit.newest_by.name),
            lock = self.lock(),
            action = self.end_statement(),
            is_doomed = self.is_selected_condition(),
        )
    }

    /// Live sessions with their place among their user's, newest first. One that says no time of its making, or one that
    /// is yet to come, by a clock that is ahead, has no place: it is not ended, and none for its sake.
    fn ranked(&self, bounds: &Cutoffs, limit: &PerUserLimit) -> String {
        let user = &limit.user;
        format!(
            "SELECT t.ctid AS address{tableoid}, t.{user} AS owner, {age} AS age,
                    rank() OVER (PARTITION BY t.{user} ORDER BY {age} DESC) AS place
             FROM {table} AS t
             WHERE t.{user} IS NOT NULL AND {is_time} AND {age} <= {now} AND NOT {over}{rest}",
            tableoid = self.tableoid(),
            age = format!("t.{}", limit.newest_by.name),
            is_time = self.is_time(&limit.newest_by),
            now = self.constant(self.now_shown),
            table = self.table(),
            over = self.expired_condition(bounds),
            rest = self.and_unrevoked(),
        )
    }

    fn tableoid(&self) -> &'static str {
        if self.store.has_children { ", t.tableoid AS tableoid" } else { "" }
    }

    /// A row is one of the doomed. By its address alone the plan cannot go wrong.
    fn is_selected_condition(&self) -> &'static str {
        if self.store.has_children {
            "(t.tableoid, t.ctid) IN (SELECT d.tableoid, d.address FROM doomed AS d)"
        } else {
            "t.ctid = ANY (ARRAY(SELECT d.address FROM doomed AS d))"
        }
    }

    fn lock(&self) -> &'static str {
        if matches!(self.store.action, EndAction::Delete) { "UPDATE" } else { "NO KEY UPDATE" }
    }

    fn end_statement(&self) -> String {
        let table = self.table();
        match &self.store.action {
            EndAction::Delete => format!("DELETE FROM {table} AS t"),
            EndAction::Set { column, value } => format!("UPDATE {table} AS t SET {column} = {value}"),
            EndAction::Stamp(column) => {
                format!("UPDATE {table} AS t SET {} = {}", column.name, self.revocation_time(column))
            }
        }
    }

    /// The time of the sweep, in the column's own type.
    fn revocation_time(&self, column: &TimeColumn) -> String {
        match column.time_type {
            TimeType::Timestamptz => time_literal(&Encoding::Timestamptz, self.now),
            TimeType::Timestamp | TimeType::Int4 | TimeType::Int8 => self.constant(self.now_shown),
        }
    }
}
