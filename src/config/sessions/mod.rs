//! The `[[sessions]]` tables: session stores that are swept.

mod to_raw;
mod validate;

use std::time::Duration;

use pgmedic_core::TableName;

pub(super) use validate::judge;

/// A table of sessions, and when one of them is over. Names are as PostgreSQL stores them, without quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStoreConfig {
    /// The label in reports, metrics and `--approve`; unique.
    pub name: String,
    /// Only in the database of this configured name; in every one if none.
    pub database: Option<String>,
    pub table: TableName,
    /// A session is over when any of these says so; at least one, each of its own kind.
    pub meanings: Vec<ExpiryRule>,
    pub encoding: Encoding,
    pub action: Action,
    pub user: Option<String>,
    /// How many sessions a user may have; needs `user`.
    pub max_per_user: Option<u32>,
    /// The column that tells which sessions are newer.
    pub newest_by: String,
    /// When to sweep: a cron line of six fields, seconds first, UTC.
    pub schedule: String,
    /// Sessions that one transaction ends.
    pub batch_size: u32,
    /// How long past its end a session is left alone by `--once`; whole milliseconds.
    pub grace_period: Duration,
    /// Held when more than this part of the live sessions would go at once; in (0, 1].
    pub max_ended_ratio: f64,
    /// Guards on how many would go leave so many alone.
    pub guard_min_sessions: u32,
    /// How long one sweep may go on; what is left is for the next.
    pub sweep_timeout: Duration,
}

/// One way in which a session ends: so long after what its column says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpiryRule {
    pub kind: ExpiryKind,
    pub column: String,
    /// Zero for [`Kind::ExpiresAt`].
    pub timeout: Duration,
}

/// What a column says. The order is that of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpiryKind {
    ExpiresAt,
    LastActivity,
    CreatedAt,
}

/// How a point in time is written in the store's columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding {
    Timestamptz,
    /// `timestamp`, as a clock in this zone shows.
    Timestamp {
        time_zone: String,
    },
    EpochSeconds,
    EpochMillis,
}

/// How a session is ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Delete,
    /// Set a column: to this value, or to the time of the sweep. Rows that have it already are over, and left alone.
    Revoke {
        column: String,
        value: Option<Scalar>,
    },
}

/// A constant of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
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

impl Encoding {
    /// As the configuration writes it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Timestamptz => "timestamptz",
            Self::Timestamp { .. } => "timestamp",
            Self::EpochSeconds => "epoch-seconds",
            Self::EpochMillis => "epoch-millis",
        }
    }
}

impl SessionStoreConfig {
    /// The stores that concern the database of this configured name.
    pub fn for_database<'a>(stores: &'a [Self], database: &'a str) -> impl Iterator<Item = &'a Self> {
        stores.iter().filter(move |store| store.database.as_deref().is_none_or(|only| only == database))
    }

    /// The columns that a sweep reads.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.meanings.iter().map(|meaning| meaning.column.as_str()).collect();
        if let (Some(user), Some(_)) = (&self.user, self.max_per_user) {
            columns.extend([user.as_str(), self.newest_by.as_str()]);
        }
        if let Action::Revoke { column, .. } = &self.action {
            columns.push(column);
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }
}
