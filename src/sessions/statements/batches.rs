//! The statements that end sessions, and those around them.

use super::addresses::{Order, Rows, address_text};
use super::conditions::{Rule, column, is_left, is_over_by, not_revoked};
use super::sweep_sql::SweepSql;
use crate::config::Encoding;
use crate::sessions::pages::Pages;
use crate::sessions::store::{EndAction, PerUserLimit, TimeColumn, TimeType};
use crate::sessions::times::{date_literal, time_literal};
use pgmedic_core::{fill_sql, quote_literal};
use std::time::Duration;

/// Which sessions a batch ends.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// Those that are over by this rule. `cursor` is the `last` of the batch before.
    Over { rule: Rule<'a>, turn: Turn, cursor: Option<i64> },
    /// The live ones beyond the newest that their users may have.
    Superseded(&'a PerUserLimit),
}

impl Target<'_> {
    /// Whether a batch makes sessions for the next one.
    pub fn renews_itself(&self) -> bool {
        matches!(self, Self::Over { turn: Turn::Last, .. })
    }

    /// The pages of the table to which it is limited.
    pub fn pages(&mut self) -> Option<&mut Pages> {
        match self {
            Self::Over { turn: Turn::Stored(pages), .. } => Some(pages),
            Self::Over { .. } | Self::Superseded(_) => None,
        }
    }
}

/// Which of the sessions that are over come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    Oldest,
    Newest,
    /// Those to which no session refers, and no others.
    Last,
    /// Those on these pages of the table.
    Stored(Pages),
}

impl SweepSql<'_> {
    /// Ends up to `size` of the sessions that are meant.
    pub fn end_batch(&self, target: Target<'_>, size: u32, rows: Rows<'_>) -> String {
        match target {
            Target::Over { rule, turn, cursor } => self.batch(rule, turn, cursor, size, rows),
            Target::Superseded(limit) => self.supersede(limit, size, rows),
        }
    }

    /// The addresses of up to `size` of them.
    pub fn addresses(&self, target: Target<'_>, size: u32, rows: Rows<'_>, order: Order) -> String {
        let size = size.to_string();
        let ordered = |by: String| if order == Order::Random { "ORDER BY pg_catalog.random()".to_owned() } else { by };
        match target {
            Target::Over { rule, turn, cursor } => {
                let time = column(rule.column);
                let (turn, cursor) = match (order, turn) {
                    // From anywhere in the table.
                    (Order::Random, Turn::Stored(_)) => (Turn::Oldest, None),
                    _ => (turn, cursor),
                };
                let values = [
                    ("TABLE", self.store.from()),
                    ("NOT_REVOKED", self.may_end()),
                    ("IS_OVER", is_over_by(self.encoding, rule)),
                    ("FROM_CURSOR", self.since(rule, turn, cursor)),
                    ("LAST", self.microseconds(&time)),
                    ("ORDER", ordered(order_by(&time, turn))),
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
                    ("ORDER", ordered("ORDER BY r.age".to_owned())),
                    ("ROWS", rows.condition("r.tableoid", "r.address", self.store.has_children)),
                    ("ADDRESS_TEXT", address_text("r.tableoid", "r.address", self.store.has_children)),
                    ("SIZE", size),
                ];
                fill_sql(include_str!("superseded_addresses.sql"), &values)
            }
        }
    }

    /// The statements that end the sessions at these addresses one by one, for so long; the last one says what was done.
    pub fn one_by_one(&self, target: Target<'_>, addresses: &str, longest: Duration) -> [String; 3] {
        let is_this = if self.store.has_children { "t.ctid = $1 AND t.tableoid = $2" } else { "t.ctid = $1" };
        let is_meant = match target {
            Target::Over { rule, .. } => is_over_by(self.encoding, rule),
            Target::Superseded(_) => format!("NOT {}", self.is_over(&self.times.cutoff)),
        };
        let values = [
            ("TABLE", self.store.from()),
            ("IS_THIS", is_this.to_owned()),
            ("IS_MEANT", is_meant),
            ("NOT_REVOKED", self.may_end()),
            ("LOCK", self.lock().to_owned()),
        ];
        let changed = if self.store.is_checked() { self.changed() } else { "SELECT 0".to_owned() };
        let settings = [
            ("find_all", addresses.to_owned()),
            ("lock_one", fill_sql(include_str!("lock_one.sql"), &values)),
            ("end_one", format!("{} WHERE {is_this} RETURNING NOT {}", self.end(), is_left(&self.store.action))),
            ("changed", changed),
            ("longest", longest.as_secs_f64().to_string()),
        ];
        let settings = settings.map(|(name, value)| {
            format!("pg_catalog.set_config('pgmedic.{name}', {}, true) AS {name}", quote_literal(&value))
        });
        [
            format!("SELECT {}", settings.join(", ")),
            fill_sql::<&str>(include_str!("one_by_one.sql"), &[]),
            "SELECT pg_catalog.current_setting('pgmedic.outcome') AS outcome".to_owned(),
        ]
    }

    /// Notes, before a batch, how many rows of the table were changed.
    pub fn note_changed(&self) -> String {
        fill_sql(include_str!("changed_before.sql"), &[("CHANGED", self.changed())])
    }

    /// Fails, after a batch, where more rows were changed than it selected.
    pub fn check_changed(&self) -> String {
        fill_sql(include_str!("check_changed.sql"), &[("CHANGED", self.changed())])
    }

    /// Fails, after a batch, where rows that it selected were not ended.
    pub fn check_kept(&self) -> String {
        fill_sql::<&str>(include_str!("check_kept.sql"), &[])
    }

    fn changed(&self) -> String {
        let deletes = matches!(self.store.action, EndAction::Delete);
        let counted = match (deletes, self.store.effects.updates_sessions) {
            // Foreign keys update sessions themselves where they set a reference to another session to NULL.
            (true, true) => &["deleted", "inserted"][..],
            // A session that is put back was not ended.
            (true, false) => &["deleted", "inserted", "updated"],
            (false, _) => &["deleted", "updated"],
        };
        let counted: Vec<String> =
            counted.iter().map(|what| format!("pg_catalog.pg_stat_get_xact_tuples_{what}(r.oid)")).collect();
        let values = [("COUNTED", counted.join(" + ")), ("OIDS", self.store.oid_array())];
        fill_sql(include_str!("changed.sql"), &values)
    }

    /// The session was not ended before, and its id does not go to another one after.
    fn may_end(&self) -> String {
        let not_revoked = not_revoked(self.store);
        match self.is_spent() {
            Some(is_spent) => format!("{not_revoked} AND {is_spent}"),
            None => not_revoked,
        }
    }

    /// What the batch before has left.
    fn since(&self, rule: Rule<'_>, turn: Turn, cursor: Option<i64>) -> String {
        let literal = |at| match self.encoding {
            Encoding::Date { .. } => date_literal(at),
            _ => self.literal(at),
        };
        let (time, margin) = (column(rule.column), self.encoding.rounding());
        match (turn, cursor) {
            // What refers to such a session may be ended by the batch before.
            (Turn::Last, _) => self.is_last(),
            (Turn::Stored(pages), _) => {
                format!("t.ctid >= '({},0)'::tid AND t.ctid < '({},0)'::tid", pages.first, pages.end())
            }
            (Turn::Oldest | Turn::Newest, None) => "true".to_owned(),
            (Turn::Newest, Some(last)) => format!("{time} <= {}", literal(last + margin)),
            (Turn::Oldest, Some(last)) => format!("{time} >= {}", literal(last - margin)),
        }
    }

    /// No other session refers to it.
    fn is_last(&self) -> String {
        let store = self.store.from();
        let is_other =
            if self.store.has_children { "(r.tableoid, r.ctid) <> (t.tableoid, t.ctid)" } else { "r.ctid <> t.ctid" };
        let keys = self.store.effects.chains.iter();
        let none =
            keys.map(|(refers, _)| format!("NOT EXISTS (SELECT FROM {store} AS r WHERE {refers} AND {is_other})"));
        none.collect::<Vec<_>>().join(" AND ")
    }

    /// What a batch notes for the checks after it.
    fn noted(&self) -> String {
        if !self.store.is_checked() {
            return String::new();
        }
        let note = |name: &str, table: &str| {
            format!(
                ",\n       pg_catalog.set_config('pgmedic.{name}', (SELECT count(*) FROM {table})::text, true) AS noted_{name}"
            )
        };
        note("ended", "ended WHERE NOT is_left") + &note("changed", "ended") + &note("found", "to_end")
    }

    fn batch(&self, rule: Rule<'_>, turn: Turn, cursor: Option<i64>, size: u32, rows: Rows<'_>) -> String {
        let values = [
            ("TABLE", self.store.from()),
            ("NOT_REVOKED", self.may_end()),
            ("IS_OVER", is_over_by(self.encoding, rule)),
            ("FROM_CURSOR", self.since(rule, turn, cursor)),
            ("ROWS", rows.condition("t.tableoid", "t.ctid", self.store.has_children)),
            ("NOTED", self.noted()),
            ("IS_LEFT", is_left(&self.store.action)),
            ("TIME", column(rule.column)),
            ("ORDER", order_by(&column(rule.column), turn)),
            ("LAST", self.microseconds(if turn == Turn::Newest { "min(at)" } else { "max(at)" })),
            ("SIZE", size.to_string()),
            ("ADDRESS", self.address().to_owned()),
            ("IS_SELECTED", self.is_selected().to_owned()),
            ("LOCK", self.lock().to_owned()),
            ("END", self.end()),
        ];
        fill_sql(include_str!("batch.sql"), &values)
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
            ("NOTED", self.noted()),
            ("IS_LEFT", is_left(&self.store.action)),
            ("SIZE", size.to_string()),
            ("ADDRESS", self.address().to_owned()),
            ("IS_SAME_ROW", is_same_row.to_owned()),
            ("IS_SELECTED", self.is_selected().to_owned()),
            ("LOCK", self.lock().to_owned()),
            ("END", self.end()),
        ];
        fill_sql(include_str!("supersede.sql"), &values)
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

/// In which order the sessions come; none where it is that of the table.
fn order_by(column: &str, turn: Turn) -> String {
    match turn {
        Turn::Newest => format!("ORDER BY {column} DESC"),
        Turn::Oldest | Turn::Last => format!("ORDER BY {column}"),
        Turn::Stored(_) => String::new(),
    }
}
