//! The `[[sessions]]` tables: session stores that are swept.

use std::time::{Duration, SystemTime};

use super::error::{ConfigError, shown};
use super::layers::Places;
use super::name::{Spelled, TableName, part};
use super::presets::Preset;
use super::raw::{RawRevoke, RawScalar, RawStore};
use super::schema::nearest;
use super::values::{at_least_one, count, duration, explained, ratio, timeout};
use super::{Database, schedule};

/// What a store has that says nothing else. `config/pgmedic.toml` shows them.
const SCHEDULE: &str = "0 * * * * *";
const BATCH: u32 = 500;
const GRACE: Duration = Duration::from_secs(60);
const MAX_FRACTION: f64 = 0.5;
const GUARD_FLOOR: u32 = 100;
const SWEEP_TIMEOUT: Duration = Duration::from_secs(60);

/// One transaction that deletes more keeps logins waiting, and writes more log than anybody likes at once.
const LARGEST_BATCH: u32 = 10_000;

/// Longer than anybody means to stay logged in.
const LONGEST_SESSION: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

/// A table of sessions, and when one of them is over. Names are as PostgreSQL stores them, without quotes.
#[derive(Debug, Clone, PartialEq)]
pub struct SessionStore {
    /// The label in reports, metrics and `--approve`; unique.
    pub name: String,
    /// Only in the database of this configured name; in every one if none.
    pub database: Option<String>,
    pub table: TableName,
    /// A session is over when any of these says so; at least one, each of its own kind.
    pub meanings: Vec<Meaning>,
    pub encoding: Encoding,
    pub action: Action,
    pub user: Option<String>,
    /// How many sessions a user may have; needs `user`.
    pub keep_newest: Option<u32>,
    /// The column that tells which sessions are newer.
    pub newest_by: String,
    /// When to sweep: a cron line of six fields, seconds first, UTC.
    pub schedule: String,
    /// Sessions that one transaction ends.
    pub batch: u32,
    /// How long past its end a session is left alone by `--once`; whole milliseconds.
    pub grace: Duration,
    /// Held when more than this part of the live sessions would go at once; in (0, 1].
    pub max_fraction: f64,
    /// Guards on how many would go leave so many alone.
    pub guard_floor: u32,
    /// How long one sweep may go on; what is left is for the next.
    pub sweep_timeout: Duration,
}

/// One way in which a session ends: so long after what its column says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meaning {
    pub kind: Kind,
    pub column: String,
    /// Zero for [`Kind::ExpiresAt`].
    pub timeout: Duration,
}

/// What a column says. The order is that of the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
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

impl Kind {
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

/// Judges the tables as written.
pub(super) fn judge(
    written: Vec<RawStore>,
    databases: &[Database],
    places: &Places,
    now: SystemTime,
) -> Result<Vec<SessionStore>, ConfigError> {
    let mut stores: Vec<SessionStore> = Vec::with_capacity(written.len());
    for (index, raw) in written.into_iter().enumerate() {
        let judge = Judge { table: format!("sessions[{index}]"), places };
        let store = judge.store(raw, databases, now)?;
        if let Some(other) = stores.iter().position(|other| other.name == store.name) {
            let found = format!("{}, the name of sessions[{other}] too", shown(&store.name));
            return Err(judge.invalid("name", found, "a `name` of its own for each store"));
        }
        stores.push(store);
    }
    Ok(stores)
}

/// Of one `[[sessions]]` table.
struct Judge<'a> {
    table: String,
    places: &'a Places,
}

impl Judge<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.table)
    }

    fn invalid(&self, key: &str, found: impl Into<String>, expected: impl Into<String>) -> ConfigError {
        self.places.invalid(self.key(key), found, expected)
    }

    fn store(&self, raw: RawStore, databases: &[Database], now: SystemTime) -> Result<SessionStore, ConfigError> {
        let (raw, from_preset) = self.with_preset(raw)?;
        let encoding = self.encoding(raw.encoding.as_deref(), raw.time_zone.as_deref())?;
        let meanings = self.meanings(&raw, from_preset.as_ref())?;
        let (user, keep_newest) = self.newest(raw.user.as_deref(), raw.keep_newest)?;
        let created_at = raw.created_at.as_deref().map(|text| self.column("created_at", text)).transpose()?;
        let newest_by = created_at.unwrap_or_else(|| meanings[0].column.clone());
        let schedule = raw.schedule.unwrap_or_else(|| SCHEDULE.to_owned());
        schedule::check(&schedule, now).map_err(|expected| self.invalid("schedule", shown(&schedule), expected))?;
        Ok(SessionStore {
            name: self.name(raw.name)?,
            database: self.database(raw.database, databases)?,
            table: self.table(raw.table)?,
            meanings,
            encoding,
            action: self.action(raw.action.as_deref(), raw.revoke)?,
            user,
            keep_newest,
            newest_by,
            schedule,
            batch: self.batch(raw.batch)?,
            grace: match &raw.grace {
                Some(text) => {
                    duration(text, &self.key("grace"), self.places, Duration::ZERO, Duration::from_secs(86_400))?
                }
                None => GRACE,
            },
            max_fraction: match raw.max_fraction {
                Some(number) => ratio(number, &self.key("max_fraction"), self.places)?,
                None => MAX_FRACTION,
            },
            guard_floor: match raw.guard_floor {
                Some(number) => count(number, &self.key("guard_floor"), self.places)?,
                None => GUARD_FLOOR,
            },
            sweep_timeout: match &raw.sweep_timeout {
                Some(text) => timeout(text, &self.key("sweep_timeout"), self.places)?,
                None => SWEEP_TIMEOUT,
            },
        })
    }

    /// What is written, over what the preset says: key by key. Returns the preset's own keys too.
    fn with_preset(&self, raw: RawStore) -> Result<(RawStore, Option<RawStore>), ConfigError> {
        let Some(name) = &raw.preset else { return Ok((raw, None)) };
        let named = |name: &str| Preset::named(name).map(|preset| preset.store);
        let (Some(base), Some(preset)) = (named(name), named(name)) else {
            let hint = nearest(name, Preset::names())
                .map_or_else(|| Preset::names().collect::<Vec<_>>().join(", "), |near| format!("{near}, perhaps"));
            return Err(self.invalid("preset", shown(name), format!("a preset (see `pgmedic presets`): {hint}")));
        };
        let merged = RawStore {
            name: raw.name.or_else(|| raw.preset.clone()),
            table: raw.table.or(base.table),
            expires_at: raw.expires_at.or(base.expires_at),
            last_activity: raw.last_activity.or(base.last_activity),
            created_at: raw.created_at.or(base.created_at),
            // A zone belongs to the encoding it stands beside.
            time_zone: raw.time_zone.or(base.time_zone.filter(|_| raw.encoding.is_none())),
            encoding: raw.encoding.or(base.encoding),
            user: raw.user.or(base.user),
            ..raw
        };
        Ok((merged, Some(preset)))
    }

    fn name(&self, name: Option<String>) -> Result<String, ConfigError> {
        let expected = "a short label, such as \"logins\"";
        match name {
            None => Err(self.places.invalid(&self.table, "no `name`", expected)),
            Some(name) if name.trim().is_empty() || name.len() > 60 || name.chars().any(char::is_control) => {
                Err(self.invalid("name", shown(&name), expected))
            }
            Some(name) => Ok(name),
        }
    }

    fn database(&self, name: Option<String>, databases: &[Database]) -> Result<Option<String>, ConfigError> {
        match &name {
            Some(name) if !databases.iter().any(|database| database.name == *name) => {
                let known: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
                let expected = format!("the name of a configured database: {}", known.join(", "));
                Err(self.invalid("database", shown(name), expected))
            }
            _ => Ok(name),
        }
    }

    fn table(&self, table: Option<String>) -> Result<TableName, ConfigError> {
        let Some(text) = table else {
            return Err(self.places.invalid(&self.table, "neither `table` nor `preset`", "one of them"));
        };
        text.parse().map_err(|problem| {
            let expected = "schema.table in SQL spelling (the schema is never guessed; quote capitals and dots)";
            self.invalid("table", explained(&text, &problem), expected)
        })
    }

    fn column(&self, key: &str, text: &str) -> Result<String, ConfigError> {
        part(text).map_err(|problem| {
            let expected = "a column's name in SQL spelling (quote capitals, as in '\"userId\"')";
            self.invalid(key, explained(text, &problem), expected)
        })
    }

    fn meanings(&self, raw: &RawStore, preset: Option<&RawStore>) -> Result<Vec<Meaning>, ConfigError> {
        let mut meanings = Vec::new();
        if let Some(text) = &raw.expires_at {
            let column = self.column("expires_at", text)?;
            meanings.push(Meaning { kind: Kind::ExpiresAt, column, timeout: Duration::ZERO });
        }
        let of_preset = |column: fn(&RawStore) -> &Option<String>| {
            preset.is_some_and(|preset| column(preset).is_some() && column(preset) == column(raw))
        };
        // A preset names the columns, and leaves it to you whether a session ends by them.
        let idle_may_lack = of_preset(|raw| &raw.last_activity);
        let absolute_may_lack = of_preset(|raw| &raw.created_at) || raw.keep_newest.is_some();
        let timed = [
            (Kind::LastActivity, &raw.last_activity, "idle_timeout", &raw.idle_timeout, idle_may_lack),
            (Kind::CreatedAt, &raw.created_at, "absolute_timeout", &raw.absolute_timeout, absolute_may_lack),
        ];
        for (kind, column, key, timeout, may_lack) in timed {
            match (column, timeout) {
                (Some(column), Some(text)) => {
                    let column = self.column(kind.key(), column)?;
                    let shortest = Duration::from_secs(1);
                    let timeout = duration(text, &self.key(key), self.places, shortest, LONGEST_SESSION)?;
                    meanings.push(Meaning { kind, column, timeout });
                }
                (Some(_), None) if !may_lack => {
                    let expected = format!("`{key}` beside `{}`", kind.key());
                    return Err(self.places.invalid(&self.table, format!("no `{key}`"), expected));
                }
                (None, Some(_)) => {
                    let found = format!("`{key}` without `{}`", kind.key());
                    return Err(self.invalid(key, found, format!("the column it counts from, as `{}`", kind.key())));
                }
                _ => {}
            }
        }
        if meanings.is_empty() {
            let expected =
                "`expires_at`, or `last_activity` and `idle_timeout`, or `created_at` and `absolute_timeout`";
            return Err(self.places.invalid(&self.table, "nothing that says when a session is over", expected));
        }
        Ok(meanings)
    }

    fn encoding(&self, encoding: Option<&str>, zone: Option<&str>) -> Result<Encoding, ConfigError> {
        let expected = "one of timestamptz, timestamp, epoch-seconds, epoch-millis";
        let encoding = match (encoding, zone) {
            (None, _) => return Err(self.places.invalid(&self.table, "no `encoding`", expected)),
            (Some("timestamp"), None) => {
                let expected = "`time_zone`: the zone of the clock that writes the columns, such as \"UTC\" or \
                                \"America/New_York\" (where the server fills them in: SHOW TimeZone on the \
                                application's connection)";
                return Err(self.places.invalid(&self.table, "encoding \"timestamp\" and no `time_zone`", expected));
            }
            (Some("timestamp"), Some(zone)) => return self.zone(zone),
            (Some("timestamptz"), _) => Encoding::Timestamptz,
            (Some("epoch-seconds"), _) => Encoding::EpochSeconds,
            (Some("epoch-millis"), _) => Encoding::EpochMillis,
            (Some(other), _) => return Err(self.invalid("encoding", shown(other), expected)),
        };
        match zone {
            Some(_) => {
                let found = format!("`time_zone` with encoding \"{}\", which has none", encoding.word());
                Err(self.invalid("time_zone", found, "no `time_zone`, or encoding \"timestamp\""))
            }
            None => Ok(encoding),
        }
    }

    /// PostgreSQL would take `UTC+3` for three hours west, and nobody means that.
    fn zone(&self, zone: &str) -> Result<Encoding, ConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        let offset = zone.split(['+', '-']).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let named = zone.starts_with(|c: char| c.is_ascii_alphabetic()) && zone.chars().all(plain);
        if !named || offset && !zone.starts_with("Etc/") {
            let expected = "a time zone by its name, such as \"UTC\" or \"America/New_York\"";
            return Err(self.invalid("time_zone", shown(zone), expected));
        }
        Ok(Encoding::Timestamp { time_zone: zone.to_owned() })
    }

    fn action(&self, action: Option<&str>, revoke: Option<RawRevoke>) -> Result<Action, ConfigError> {
        let expected = "action = \"delete\", or revoke = { column = \"revoked_at\" }";
        match (action, revoke) {
            (None | Some("delete"), None) => Ok(Action::Delete),
            (None, Some(RawRevoke { column: Some(column), value })) => {
                let column = self.column("revoke.column", &column)?;
                let value = value.map(|value| match value {
                    RawScalar::Switch(switch) => Scalar::Switch(switch),
                    RawScalar::Whole(number) => Scalar::Whole(number),
                    RawScalar::Text(text) => Scalar::Text(text),
                });
                Ok(Action::Revoke { column, value })
            }
            (None, Some(_)) => Err(self.invalid("revoke", "no `column`", "revoke = { column = \"revoked_at\" }")),
            (Some(_), Some(_)) => Err(self.invalid("action", "`revoke` as well", expected)),
            (Some(other), None) => Err(self.invalid("action", shown(other), expected)),
        }
    }

    fn newest(&self, user: Option<&str>, keep: Option<i64>) -> Result<(Option<String>, Option<u32>), ConfigError> {
        let user = user.map(|text| self.column("user", text)).transpose()?;
        let keep = keep.map(|number| at_least_one(number, &self.key("keep_newest"), self.places)).transpose()?;
        if keep.is_some() && user.is_none() {
            let expected = "`user` beside it: the column that says whose a session is";
            return Err(self.invalid("keep_newest", "no `user`", expected));
        }
        Ok((user, keep))
    }

    fn batch(&self, batch: Option<i64>) -> Result<u32, ConfigError> {
        let Some(number) = batch else { return Ok(BATCH) };
        u32::try_from(number).ok().filter(|number| (1..=LARGEST_BATCH).contains(number)).ok_or_else(|| {
            let expected = format!("a whole number from 1 to {LARGEST_BATCH}");
            self.invalid("batch", format!("the number {number}"), expected)
        })
    }
}

impl SessionStore {
    /// The stores that concern the database of this configured name.
    pub fn of<'a>(stores: &'a [Self], database: &'a str) -> impl Iterator<Item = &'a Self> {
        stores.iter().filter(move |store| store.database.as_deref().is_none_or(|only| only == database))
    }

    /// The columns that a sweep reads.
    pub fn columns(&self) -> Vec<&str> {
        let mut columns: Vec<&str> = self.meanings.iter().map(|meaning| meaning.column.as_str()).collect();
        if let (Some(user), Some(_)) = (&self.user, self.keep_newest) {
            columns.extend([user.as_str(), self.newest_by.as_str()]);
        }
        if let Action::Revoke { column, .. } = &self.action {
            columns.push(column);
        }
        columns.sort_unstable();
        columns.dedup();
        columns
    }

    /// As the configuration would write it in full.
    pub(super) fn raw(&self) -> RawStore {
        let spelled = |name: &str| Spelled(name).to_string();
        let text = |duration: Duration| humantime::format_duration(duration).to_string();
        let meaning = |kind: Kind| self.meanings.iter().find(move |meaning| meaning.kind == kind);
        let column = |kind: Kind| meaning(kind).map(|meaning| spelled(&meaning.column));
        let timeout = |kind: Kind| meaning(kind).map(|meaning| text(meaning.timeout));
        // Named by a preset, or for keep_newest, and no end by itself.
        let newest_by = self.meanings.iter().all(|meaning| meaning.column != self.newest_by);
        RawStore {
            name: Some(self.name.clone()),
            database: self.database.clone(),
            preset: None,
            table: Some(self.table.to_string()),
            expires_at: column(Kind::ExpiresAt),
            last_activity: column(Kind::LastActivity),
            idle_timeout: timeout(Kind::LastActivity),
            created_at: column(Kind::CreatedAt)
                .or_else(|| (newest_by && self.keep_newest.is_some()).then(|| spelled(&self.newest_by))),
            absolute_timeout: timeout(Kind::CreatedAt),
            encoding: Some(self.encoding.word().to_owned()),
            time_zone: match &self.encoding {
                Encoding::Timestamp { time_zone } => Some(time_zone.clone()),
                _ => None,
            },
            action: matches!(self.action, Action::Delete).then(|| "delete".to_owned()),
            revoke: match &self.action {
                Action::Delete => None,
                Action::Revoke { column, value } => Some(RawRevoke {
                    column: Some(spelled(column)),
                    value: value.clone().map(|value| match value {
                        Scalar::Switch(switch) => RawScalar::Switch(switch),
                        Scalar::Whole(number) => RawScalar::Whole(number),
                        Scalar::Text(text) => RawScalar::Text(text),
                    }),
                }),
            },
            user: self.user.as_deref().map(spelled),
            keep_newest: self.keep_newest.map(i64::from),
            schedule: Some(self.schedule.clone()),
            batch: Some(self.batch.into()),
            grace: Some(text(self.grace)),
            max_fraction: Some(self.max_fraction),
            guard_floor: Some(self.guard_floor.into()),
            sweep_timeout: Some(text(self.sweep_timeout)),
        }
    }
}
