//! The `[[sessions]]` tables: session stores whose expired sessions are ended.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | [`SessionStoreConfig`]: one store as the sweep uses it |
//! | `meaning.rs` | checks which rows are sessions, and what their times mean |
//! | `validate.rs` | applies presets and defaults to the tables as written, then checks their values |

mod meaning;
mod validate;

use std::time::Duration;

use super::declared_id::DeclaredId;
use super::{Schedule, SequenceRule};
use crate::report::DatabaseLabel;
use pgmedic_core::TableName;
use serde::{Deserialize, Serialize};

pub(super) use validate::{apply_presets, validate};

/// A table of sessions, and when a session expires. Names are as PostgreSQL stores them, without quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStoreConfig {
    /// The label in reports, metrics and `--approve`; unique.
    pub name: String,
    /// Only in the database of this configured name; in every one if none.
    pub database: Option<String>,
    pub table: TableName,
    /// The tables of the other stores: their sessions may be live.
    pub other_stores: Vec<TableName>,
    /// The sequences that the configuration says feed a column, of this table or another one.
    pub declared_ids: Vec<DeclaredId>,
    /// Whether sequences are repaired, but for those of which a rule says that they are not.
    pub repairs_sequences: bool,
    /// The rules for sequences; the first that matches counts.
    pub sequence_rules: Vec<SequenceRule>,
    /// Which rows of the table are the sessions: those for which all of these hold.
    pub only: Vec<Condition>,
    /// A session expires by the earliest of these rules. At least one; each of a different kind.
    pub meanings: Vec<ExpiryRule>,
    pub encoding: Encoding,
    /// The time zone of the encoding is the preset's: the software writes in it, and no person had to know.
    pub is_zone_of_preset: bool,
    /// The column with the time of creation, also where no rule counts from it.
    pub created_at: Option<String>,
    pub action: Action,
    /// The columns that together say whose a session is.
    pub user: Vec<String>,
    /// How many sessions a user may have; needs `user`.
    pub max_per_user: Option<u32>,
    /// The column by which sessions are ordered from old to new.
    pub newest_by: String,
    /// When to sweep.
    pub schedule: Schedule,
    /// Sessions that one transaction ends.
    pub batch_size: u32,
    /// How long after its expiry `--once` leaves a session alone; whole milliseconds.
    pub grace_period: Duration,
    /// A sweep that would end a larger share of the live sessions is held; in (0, 1].
    pub max_ended_ratio: f64,
    /// A sweep may always end this many sessions.
    pub guard_min_sessions: u32,
    /// How long one sweep may take; the next continues where it stopped. None: as long as a single pass needs, and a
    /// minute in the agent.
    pub sweep_timeout: Option<Duration>,
}

impl SessionStoreConfig {
    /// Whether both stores may be in one database.
    pub fn may_share_database(&self, other: &Self) -> bool {
        self.database.is_none() || other.database.is_none() || self.database == other.database
    }

    /// Whether a row may be a session of both stores.
    pub fn may_overlap(&self, other: &Self) -> bool {
        let are_apart = |own: &Condition, others: &Condition| {
            own.column == others.column && !own.values.iter().any(|value| others.values.contains(value))
        };
        let is_apart = self.only.iter().any(|own| other.only.iter().any(|others| are_apart(own, others)));
        self.may_share_database(other) && self.table == other.table && !is_apart
    }
}

/// A rule by which a session expires: a duration after the time in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryRule {
    pub kind: ExpiryKind,
    pub column: String,
    /// Zero for [`ExpiryKind::ExpiresAt`], and beside a lifetime.
    pub timeout: Duration,
    /// The duration is in a column, too.
    pub lifetime: Option<Lifetime>,
}

/// A column that says for how long a session lives. NULL, 0 and less mean for ever.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lifetime {
    pub column: String,
    pub unit: LifetimeUnit,
}

/// The unit of a lifetime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifetimeUnit {
    Nanoseconds,
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

/// A column, and the values that it may have; none of them means NULL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub column: String,
    pub values: Vec<Option<Scalar>>,
}

/// The meaning of the time in a column. The order is that of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryKind {
    ExpiresAt,
    LastActivity,
    CreatedAt,
}

/// How the store's columns represent a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    Timestamptz,
    /// `timestamp`, in this time zone.
    Timestamp {
        time_zone: String,
    },
    /// `date`, in this time zone: the whole day belongs to the session.
    Date {
        time_zone: String,
    },
    EpochSeconds,
    EpochMillis,
    EpochMicros,
    EpochNanos,
}

/// How a session is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Delete,
    /// Set a column: to this value, or to the time of the sweep. Rows that have it already are ended sessions.
    Revoke {
        column: String,
        value: Option<Scalar>,
    },
}

/// A constant of the configuration. `Text` is last: serde takes the first variant that fits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(untagged)]
pub enum Scalar {
    Switch(bool),
    Whole(i64),
    Text(String),
}

impl ExpiryKind {
    /// The key that names its column.
    pub fn key(self) -> &'static str {
        match self {
            Self::ExpiresAt => "expires_at",
            Self::LastActivity => "last_activity",
            Self::CreatedAt => "created_at",
        }
    }
}

impl LifetimeUnit {
    pub(super) const WORDS: [(&'static str, Self); 7] = [
        ("nanoseconds", Self::Nanoseconds),
        ("microseconds", Self::Microseconds),
        ("milliseconds", Self::Milliseconds),
        ("seconds", Self::Seconds),
        ("minutes", Self::Minutes),
        ("hours", Self::Hours),
        ("days", Self::Days),
    ];

    pub fn nanoseconds(self) -> i64 {
        match self {
            Self::Nanoseconds => 1,
            Self::Microseconds => 1000,
            Self::Milliseconds => 1_000_000,
            Self::Seconds => 1_000_000_000,
            Self::Minutes => 60 * 1_000_000_000,
            Self::Hours => 3600 * 1_000_000_000,
            Self::Days => 24 * 3600 * 1_000_000_000,
        }
    }
}

impl Encoding {
    /// The value of `encoding`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Timestamptz => "timestamptz",
            Self::Timestamp { .. } => "timestamp",
            Self::EpochSeconds => "epoch-seconds",
            Self::EpochMillis => "epoch-millis",
            Self::EpochMicros => "epoch-micros",
            Self::EpochNanos => "epoch-nanos",
            Self::Date { .. } => "date",
        }
    }

    /// The time zone in which the column's values are times.
    pub fn time_zone(&self) -> Option<&str> {
        match self {
            Self::Timestamp { time_zone } | Self::Date { time_zone } => Some(time_zone),
            _ => None,
        }
    }

    /// By how much a time that was read may differ from the one in the column, in microseconds.
    pub fn rounding(&self) -> i64 {
        match self {
            Self::Date { .. } => 24 * 60 * 60 * 1_000_000,
            Self::EpochSeconds => 1_000_000,
            Self::EpochMillis => 1000,
            Self::Timestamptz | Self::Timestamp { .. } | Self::EpochMicros | Self::EpochNanos => 1,
        }
    }

    /// The units that numbers are in which are too large for this encoding.
    pub fn finer(&self) -> Option<&'static str> {
        match self {
            Self::EpochSeconds => Some("milliseconds, or microseconds"),
            Self::EpochMillis => Some("microseconds, or nanoseconds"),
            Self::EpochMicros => Some("nanoseconds"),
            Self::Timestamptz | Self::Timestamp { .. } | Self::Date { .. } | Self::EpochNanos => None,
        }
    }

    /// The unit that numbers are in which are too small for this encoding.
    pub fn coarser(&self) -> Option<&'static str> {
        match self {
            Self::EpochMillis => Some("seconds"),
            Self::EpochMicros => Some("milliseconds"),
            Self::EpochNanos => Some("microseconds"),
            Self::Timestamptz | Self::Timestamp { .. } | Self::Date { .. } | Self::EpochSeconds => None,
        }
    }
}

impl SessionStoreConfig {
    /// The stores in the database of this configured name.
    pub fn for_database<'a>(stores: &'a [Self], database: &'a DatabaseLabel) -> impl Iterator<Item = &'a Self> {
        stores.iter().filter(move |store| store.database.as_deref().is_none_or(|only| database.is_meant_by(only)))
    }

    /// Whether a session ends some time after its last activity.
    pub fn counts_activity(&self) -> bool {
        self.meanings.iter().any(|rule| rule.kind == ExpiryKind::LastActivity)
    }

    /// The columns that a sweep reads.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.meanings.iter().map(|meaning| meaning.column.as_str()).collect();
        columns.extend(
            self.meanings.iter().filter_map(|rule| rule.lifetime.as_ref()).map(|lifetime| lifetime.column.as_str()),
        );
        columns.extend(self.only.iter().map(|condition| condition.column.as_str()));
        if self.max_per_user.is_some() {
            columns.extend(self.user.iter().map(String::as_str));
            columns.push(self.newest_by.as_str());
        }
        if let (Some(created_at), true) = (&self.created_at, self.counts_activity()) {
            columns.push(created_at);
        }
        if let Action::Revoke { column, .. } = &self.action {
            columns.push(column);
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}
