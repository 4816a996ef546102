//! The SQL of inspection and sweep, for one store: the `.sql` files, filled with names that the server quoted and with
//! constants.
//!
//! | file | what is in it |
//! |---|---|
//! | `count.sql`, `count_by_index.sql`, `count_superseded.sql` | how many sessions there are, for the guards |
//! | `count_unspent.sql` | how many ids would be handed out again |
//! | `sample_newest.sql`, `sample_outliers.sql` | what the columns hold, for the plausibility check |
//! | `kinds.sql` | whether a column tells sessions of several kinds apart |
//! | `untouched.sql` | whether sessions are touched when they are used |
//! | `batch.sql`, `supersede.sql` | end sessions; `ranked.sql` is a part of the second |
//! | `addresses.sql`, `superseded_addresses.sql`, `addresses.rs` | single sessions of a batch that failed |
//! | `deleted_before.sql`, `check_deleted.sql`, `check_kept.sql` | around a batch that triggers may change |
//! | `local_offsets.sql` | a time zone's offsets, for naive timestamps |
//! | `conditions.rs` | the conditions that they share |
//! | `snapshot.sql` | every statement as it is sent, for each encoding and action; a test compares it |

mod addresses;
mod conditions;
#[cfg(test)]
mod snapshot_tests;

pub use addresses::{Address, Rows};
pub use conditions::Rule;

use super::plausibility::{EARLIEST, FURTHEST, SAMPLE};
use super::store::{EndAction, GeneratedId, PerUserLimit, ResolvedStore, TimeColumn, TimeType};
use super::times::{Cutoffs, MIN_TIME, Times, date_literal, time_literal};
use crate::config::Encoding;
use addresses::address_text;
use conditions::{column, has_end, is_over, is_over_by, is_time, is_time_after, not_revoked};
use pgmedic_core::fill_sql;

/// Which sessions a batch ends.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Those that are over by this rule. `cursor` is the `last` of the batch before.
    Over { rule: Rule<'a>, cursor: Option<i64> },
    /// The live ones beyond the newest that their users may have.
    Superseded(&'a PerUserLimit),
}

/// Writes the statements for one store.
#[derive(Debug, Clone, Copy)]
pub struct SweepSql<'a> {
    pub store: &'a ResolvedStore,
    pub encoding: &'a Encoding,
    pub times: &'a Times,
}

impl<'a> SweepSql<'a> {
    /// The store's expiry rules with these cutoffs.
    pub fn rules(&self, cutoffs: &'a Cutoffs) -> impl Iterator<Item = Rule<'a>> {
        conditions::rules(self.store, cutoffs)
    }

    /// How many sessions there are. `last` are the cutoffs of the last sweep.
    pub fn count(&self, last: Option<&Cutoffs>) -> String {
        let was_over = last.map_or_else(|| "false".to_owned(), |last| self.is_over(last));
        let values = [
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("IS_OVER_NOW", self.is_over(&self.times.cutoff_now)),
            ("WAS_OVER_A_DAY_AGO", self.is_over(&self.times.cutoff_day_ago)),
            ("WAS_OVER", was_over),
            ("HAS_END", has_end(self.encoding, self.store)),
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
        ];
        fill_sql(include_str!("count.sql"), &values)
    }

    /// How many sessions there are by each rule, up to `most` of each kind. `last` are the cutoffs of the last sweep.
    pub fn count_by_index(&self, last: Option<&Cutoffs>, most: u64) -> Vec<String> {
        let (cutoff, cutoff_now) = (&self.times.cutoff, &self.times.cutoff_now);
        let rules = self.rules(cutoff).zip(self.rules(cutoff_now)).zip(self.rules(&self.times.cutoff_day_ago));
        let by_rule = rules.enumerate().map(|(index, ((rule, rule_now), rule_day_ago))| {
            let stale = is_over_by(self.encoding, rule);
            // By the index where no lifetime is in between.
            let not_before = |cutoff: &str| match rule.lifetime {
                None => format!("{stale} AND {} > {cutoff}", column(rule.column)),
                Some(_) => {
                    format!("{stale} AND NOT coalesce({}, false)", is_over_by(self.encoding, Rule { cutoff, ..rule }))
                }
            };
            let fresh = last.and_then(|last| last.get(index)).map_or("false".to_owned(), |last| not_before(last));
            let live = |rule: Rule<'_>, cutoffs| match rule.lifetime {
                None => format!("{} > {} AND NOT {}", column(rule.column), rule.cutoff, self.is_over(cutoffs)),
                Some(_) => format!("{} AND NOT {}", is_time(self.encoding, rule.column), self.is_over(cutoffs)),
            };
            let values = [
                ("TABLE", self.store.from()),
                ("NOT_REVOKED", not_revoked(self.store)),
                ("RECENT", not_before(rule_day_ago.cutoff)),
                ("STALE", stale),
                ("LIVE", live(rule, cutoff)),
                ("LIVE_NOW", live(rule_now, cutoff_now)),
                ("FRESH", fresh),
                ("MOST", most.to_string()),
            ];
            fill_sql(include_str!("count_by_index.sql"), &values)
        });
        by_rule.collect()
    }

    /// The newest values of a rule's column; then whether any lies too far ahead, and how many too far back, up to `most`.
    pub fn sample(&self, time: &TimeColumn, most: u64) -> [String; 2] {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("TIME", column(time)),
            ("IS_TIME", is_time_after(MIN_TIME, self.encoding, time)),
            ("FURTHEST", self.literal(self.times.now.saturating_add(FURTHEST))),
            ("EARLIEST", self.literal(EARLIEST)),
            ("MICROSECONDS", self.microseconds(&column(time))),
            ("SAMPLE", SAMPLE.to_string()),
            ("MOST", most.to_string()),
        ];
        [include_str!("sample_newest.sql"), include_str!("sample_outliers.sql")].map(|sql| fill_sql(sql, &values))
    }

    /// Of up to `most` sessions, the ones that were used last: how many were never used after their creation.
    pub fn untouched(&self, activity: &TimeColumn, created: &TimeColumn, most: u32) -> String {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("TIME", column(activity)),
            ("IS_TIME", is_time(self.encoding, activity)),
            ("CREATED", column(created)),
            ("IS_CREATED", is_time(self.encoding, created)),
            ("MICROSECONDS", self.microseconds(&column(activity))),
            ("CREATED_MICROSECONDS", self.microseconds(&column(created))),
            ("MOST", most.to_string()),
        ];
        fill_sql(include_str!("untouched.sql"), &values)
    }

    /// Whether this column, quoted, tells the sessions that are over from those that are not, by up to `most` of them.
    pub fn kinds(&self, column: &str, most: u64) -> String {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("COLUMN", column.to_owned()),
            ("MOST", most.to_string()),
        ];
        fill_sql(include_str!("kinds.sql"), &values)
    }

    /// Ends up to `size` of the sessions that are meant.
    pub fn end_batch(&self, target: Target<'_>, size: u32, rows: Rows<'_>) -> String {
        match target {
            Target::Over { rule, cursor } => self.batch(rule, cursor, size, rows),
            Target::Superseded(limit) => self.supersede(limit, size, rows),
        }
    }

    /// The addresses of up to `size` of them, in the order in which they would be ended.
    pub fn addresses(&self, target: Target<'_>, size: u32, rows: Rows<'_>) -> String {
        let size = size.to_string();
        match target {
            Target::Over { rule, cursor } => {
                let values = [
                    ("TABLE", self.store.from()),
                    ("NOT_REVOKED", self.may_end()),
                    ("IS_OVER", is_over_by(self.encoding, rule)),
                    ("FROM_CURSOR", self.from_cursor(rule, cursor)),
                    ("TIME", column(rule.column)),
                    ("ROWS", rows.condition("t.tableoid", "t.ctid", self.store.has_children)),
                    ("ADDRESS_TEXT", address_text("t.tableoid", "t.ctid", self.store.has_children)),
                    ("SIZE", size),
                ];
                fill_sql(include_str!("addresses.sql"), &values)
            }
            Target::Superseded(limit) => {
                let values = [
                    ("RANKED", self.ranked(limit)),
                    ("MAX", limit.max.to_string()),
                    ("ROWS", rows.condition("r.tableoid", "r.address", self.store.has_children)),
                    ("ADDRESS_TEXT", address_text("r.tableoid", "r.address", self.store.has_children)),
                    ("SIZE", size),
                ];
                fill_sql(include_str!("superseded_addresses.sql"), &values)
            }
        }
    }

    /// Notes, before a batch, how many rows of the table were deleted.
    pub fn note_deleted(&self) -> String {
        fill_sql(include_str!("deleted_before.sql"), &[("DELETED", self.deleted())])
    }

    /// Fails, after a batch, where more rows were deleted than it selected.
    pub fn check_deleted(&self) -> String {
        fill_sql(include_str!("check_deleted.sql"), &[("DELETED", self.deleted())])
    }

    /// Fails, after a batch, where rows that it selected were not ended.
    pub fn check_kept(&self) -> String {
        fill_sql::<&str>(include_str!("check_kept.sql"), &[])
    }

    fn deleted(&self) -> String {
        let oids: Vec<String> = self.store.oids.iter().map(u32::to_string).collect();
        fill_sql(include_str!("deleted.sql"), &[("OIDS", format!("'{{{}}}'::oid[]", oids.join(",")))])
    }

    /// How many of the sessions that are over have an id that its sequence has yet to hand out, up to `most`; none where
    /// no sequence feeds the table.
    pub fn count_unspent(&self, most: u64) -> Option<String> {
        let is_spent = self.is_spent()?;
        let values = [
            ("TABLE", self.store.from()),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("IS_SPENT", is_spent),
            ("MOST", most.to_string()),
        ];
        Some(fill_sql(include_str!("count_unspent.sql"), &values))
    }

    fn is_spent(&self) -> Option<String> {
        let all: Vec<String> = self.store.ids.iter().map(GeneratedId::is_spent).collect();
        (!all.is_empty()).then(|| all.join(" AND "))
    }

    /// The session was not ended before, and its id does not go to another one after.
    fn may_end(&self) -> String {
        let not_revoked = not_revoked(self.store);
        match self.is_spent() {
            Some(is_spent) => format!("{not_revoked} AND {is_spent}"),
            None => not_revoked,
        }
    }

    fn from_cursor(&self, rule: Rule<'_>, cursor: Option<i64>) -> String {
        match cursor {
            // One less than what was read, because that was rounded.
            Some(last) => format!("{} >= {}", column(rule.column), self.literal(last - 1)),
            None => "true".to_owned(),
        }
    }

    /// What a batch notes for the checks after it.
    fn noted(&self, found: &str) -> String {
        if !self.store.is_checked() {
            return String::new();
        }
        let note = |name: &str, table: &str| {
            format!(
                ",\n       pg_catalog.set_config('pgmedic.{name}', (SELECT count(*) FROM {table})::text, true) AS noted_{name}"
            )
        };
        note("ended", "ended") + &note("found", found)
    }

    fn batch(&self, rule: Rule<'_>, cursor: Option<i64>, size: u32, rows: Rows<'_>) -> String {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", self.may_end()),
            ("IS_OVER", is_over_by(self.encoding, rule)),
            ("FROM_CURSOR", self.from_cursor(rule, cursor)),
            ("ROWS", rows.condition("t.tableoid", "t.ctid", self.store.has_children)),
            ("NOTED", self.noted("to_end")),
            ("TIME", column(rule.column)),
            ("LAST", self.microseconds("max(at)")),
            ("SIZE", size.to_string()),
            ("ADDRESS", self.address().to_owned()),
            ("IS_SELECTED", self.is_selected().to_owned()),
            ("LOCK", self.lock().to_owned()),
            ("END", self.end()),
        ];
        fill_sql(include_str!("batch.sql"), &values)
    }

    /// How many live sessions are superseded, and how many of one user's are.
    pub fn count_superseded(&self, limit: &PerUserLimit) -> String {
        let values = [("RANKED", self.ranked(limit)), ("MAX", limit.max.to_string())];
        fill_sql(include_str!("count_superseded.sql"), &values)
    }

    fn supersede(&self, limit: &PerUserLimit, size: u32, rows: Rows<'_>) -> String {
        let is_same_row = if self.store.has_children {
            "t.ctid = r.address AND t.tableoid = r.tableoid"
        } else {
            "t.ctid = r.address"
        };
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", self.may_end()),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("RANKED", self.ranked(limit)),
            ("AGE", column(&limit.newest_by)),
            ("MAX", limit.max.to_string()),
            ("ROWS", rows.condition("r.tableoid", "r.address", self.store.has_children)),
            ("NOTED", self.noted("to_end")),
            ("SIZE", size.to_string()),
            ("ADDRESS", self.address().to_owned()),
            ("IS_SAME_ROW", is_same_row.to_owned()),
            ("IS_SELECTED", self.is_selected().to_owned()),
            ("LOCK", self.lock().to_owned()),
            ("END", self.end()),
        ];
        fill_sql(include_str!("supersede.sql"), &values)
    }

    fn ranked(&self, limit: &PerUserLimit) -> String {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("USER", owner(&limit.user)),
            ("AGE", column(&limit.newest_by)),
            ("IS_TIME", is_time(self.encoding, &limit.newest_by)),
            ("NOW", self.literal(self.times.now_local)),
            ("ADDRESS", self.address().to_owned()),
        ];
        fill_sql(include_str!("ranked.sql"), &values)
    }

    fn is_over(&self, cutoffs: &Cutoffs) -> String {
        is_over(self.encoding, self.store, cutoffs)
    }

    fn literal(&self, at: i64) -> String {
        time_literal(self.encoding, at)
    }

    /// A time as microseconds since 1970; a naive one as if it were UTC.
    fn microseconds(&self, value: &str) -> String {
        match self.encoding {
            Encoding::Timestamptz | Encoding::Timestamp { .. } | Encoding::Date { .. } => {
                format!("(extract(epoch FROM {value}) * 1000000)::bigint")
            }
            // A number that is no time must not overflow.
            Encoding::EpochSeconds => format!("(least({value}, 9000000000000)::bigint * 1000000)"),
            Encoding::EpochMillis => format!("(least({value}, 9000000000000000)::bigint * 1000)"),
            Encoding::EpochMicros => format!("least({value}, 9000000000000000000)::bigint"),
            Encoding::EpochNanos => format!("(least({value}, 9000000000000000000)::bigint / 1000)"),
        }
    }

    /// What identifies a row until the transaction ends. In partitions, the same address is another row.
    fn address(&self) -> &'static str {
        if self.store.has_children { "t.ctid AS address, t.tableoid AS tableoid" } else { "t.ctid AS address" }
    }

    /// The row is one of `to_end`. An address alone is always found by a TID scan.
    fn is_selected(&self) -> &'static str {
        if self.store.has_children {
            "(t.tableoid, t.ctid) IN (SELECT e.tableoid, e.address FROM to_end AS e)"
        } else {
            "t.ctid = ANY (ARRAY(SELECT e.address FROM to_end AS e))"
        }
    }

    fn lock(&self) -> &'static str {
        if matches!(self.store.action, EndAction::Delete) { "UPDATE" } else { "NO KEY UPDATE" }
    }

    /// The statement that ends a session, up to its WHERE.
    fn end(&self) -> String {
        let table = self.store.from();
        match &self.store.action {
            EndAction::Delete => format!("DELETE FROM {table} AS t"),
            EndAction::Set { column, value } => format!("UPDATE {table} AS t SET {column} = {value}"),
            EndAction::Stamp(column) => {
                format!("UPDATE {table} AS t SET {} = {}", column.name, self.revocation_time(column))
            }
        }
    }

    /// The time of the sweep, in the column's type.
    fn revocation_time(&self, column: &TimeColumn) -> String {
        match column.time_type {
            TimeType::Timestamptz => time_literal(&Encoding::Timestamptz, self.times.now),
            TimeType::Date => date_literal(self.times.now_local),
            TimeType::Timestamp | TimeType::Int4 | TimeType::Int8 | TimeType::Float8 | TimeType::Numeric => {
                self.literal(self.times.now_local)
            }
        }
    }
}

/// The columns that say whose a session is, as one value; NULL where any of them is.
fn owner(columns: &[String]) -> String {
    let columns: Vec<String> = columns.iter().map(|column| format!("t.{column}")).collect();
    match columns.as_slice() {
        [single] => single.clone(),
        several => format!("ROW({})", several.join(", ")),
    }
}
