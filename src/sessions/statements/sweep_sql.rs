//! The statements that read: how many sessions there are, and what their columns hold.

use super::conditions::{self, Rule, column, has_end, is_over, is_over_by, is_time, is_time_after, not_revoked};
use crate::config::Encoding;
use crate::sessions::plausibility::{EARLIEST, FURTHEST, SAMPLE};
use crate::sessions::store::{PerUserLimit, ResolvedStore, TimeColumn};
use crate::sessions::times::{Cutoffs, MIN_TIME, Times, time_literal};
use pgmedic_core::fill_sql;

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
        // Of numbers, only 0 and less mean never: small ones are lifetimes, or days.
        let lowest = match self.encoding {
            Encoding::Timestamptz | Encoding::Timestamp { .. } | Encoding::Date { .. } => MIN_TIME,
            _ => 0,
        };
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("TIME", column(time)),
            ("IS_TIME", is_time_after(lowest, self.encoding, time)),
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

    /// How many live sessions are superseded, and how many of one user's are.
    pub fn count_superseded(&self, limit: &PerUserLimit) -> String {
        let values = [("RANKED", self.ranked(limit)), ("MAX", limit.max.to_string())];
        fill_sql(include_str!("count_superseded.sql"), &values)
    }

    pub(super) fn ranked(&self, limit: &PerUserLimit) -> String {
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

    pub(super) fn is_over(&self, cutoffs: &Cutoffs) -> String {
        is_over(self.encoding, self.store, cutoffs)
    }

    pub(super) fn literal(&self, at: i64) -> String {
        time_literal(self.encoding, at)
    }

    /// A time as microseconds since 1970; a naive one as if it were UTC.
    pub(super) fn microseconds(&self, value: &str) -> String {
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
    pub(super) fn address(&self) -> &'static str {
        if self.store.has_children { "t.ctid AS address, t.tableoid AS tableoid" } else { "t.ctid AS address" }
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
