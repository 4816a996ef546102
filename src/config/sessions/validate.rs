//! Judging `[[sessions]]` tables as they are written.

use std::time::{Duration, SystemTime};

use super::super::error::{ConfigError, display_or_hide};
use super::super::layers::ConfigLocations;
use super::super::presets::Preset;
use super::super::raw::{RawRevoke, RawScalar, RawStore};
use super::super::schema::nearest;
use super::super::values::{at_least_one, count, display_with_problem, duration, is_label, ratio, timeout};
use super::super::{Database, schedule};
use super::{Action, Encoding, ExpiryKind, ExpiryRule, Scalar, SessionStoreConfig};
use pgmedic_core::{TableName, parse_identifier};

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

/// Judges the tables as written.
pub(in crate::config) fn judge(
    written: Vec<RawStore>,
    databases: &[Database],
    places: &ConfigLocations,
    now: SystemTime,
) -> Result<Vec<SessionStoreConfig>, ConfigError> {
    let mut stores: Vec<SessionStoreConfig> = Vec::with_capacity(written.len());
    for (index, raw) in written.into_iter().enumerate() {
        let judge = StoreValidator { table: format!("sessions[{index}]"), places };
        let store = judge.store(raw, databases, now)?;
        if let Some(other) = stores.iter().position(|other| other.name == store.name) {
            let found = format!("{}, the name of sessions[{other}] too", display_or_hide(&store.name));
            return Err(judge.invalid("name", found, "a `name` of its own for each store"));
        }
        stores.push(store);
    }
    Ok(stores)
}

/// Of one `[[sessions]]` table.
struct StoreValidator<'a> {
    table: String,
    places: &'a ConfigLocations,
}

impl StoreValidator<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.table)
    }

    fn invalid(&self, key: &str, found: impl Into<String>, expected: impl Into<String>) -> ConfigError {
        self.places.invalid(self.key(key), found, expected)
    }

    fn store(&self, raw: RawStore, databases: &[Database], now: SystemTime) -> Result<SessionStoreConfig, ConfigError> {
        let (raw, from_preset) = self.with_preset(raw)?;
        let encoding = self.encoding(raw.encoding.as_deref(), raw.time_zone.as_deref())?;
        let meanings = self.expiry_rules(&raw, from_preset.as_ref())?;
        let (user, max_per_user) = self.max_per_user(raw.user.as_deref(), raw.max_per_user)?;
        let created_at = raw.created_at.as_deref().map(|text| self.column("created_at", text)).transpose()?;
        if max_per_user.is_some() && created_at.is_none() {
            let expected = "the column that says when a session was made: by its end or its last use, `max_per_user` might \
                            end the one that was just begun";
            return Err(self.invalid("created_at", "none", expected));
        }
        let newest_by = created_at.unwrap_or_else(|| meanings[0].column.clone());
        let schedule = raw.schedule.unwrap_or_else(|| SCHEDULE.to_owned());
        schedule::check(&schedule, now)
            .map_err(|expected| self.invalid("schedule", display_or_hide(&schedule), expected))?;
        Ok(SessionStoreConfig {
            name: self.name(raw.name)?,
            database: self.database(raw.database, databases)?,
            table: self.table(raw.table)?,
            meanings,
            encoding,
            action: self.action(raw.action.as_deref(), raw.revoke)?,
            user,
            max_per_user: max_per_user,
            newest_by,
            schedule,
            batch_size: self.batch(raw.batch_size)?,
            grace_period: match &raw.grace_period {
                Some(text) => {
                    duration(text, &self.key("grace_period"), self.places, Duration::ZERO, Duration::from_secs(86_400))?
                }
                None => GRACE,
            },
            max_ended_ratio: match raw.max_ended_ratio {
                Some(number) => ratio(number, &self.key("max_ended_ratio"), self.places)?,
                None => MAX_FRACTION,
            },
            guard_min_sessions: match raw.guard_min_sessions {
                Some(number) => count(number, &self.key("guard_min_sessions"), self.places)?,
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
        let named = |name: &str| Preset::by_name(name).map(|preset| preset.store);
        let (Some(base), Some(preset)) = (named(name), named(name)) else {
            let hint = nearest(name, Preset::names())
                .map_or_else(|| Preset::names().collect::<Vec<_>>().join(", "), |near| format!("{near}, perhaps"));
            return Err(self.invalid(
                "preset",
                display_or_hide(name),
                format!("a preset (see `pgmedic presets`): {hint}"),
            ));
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
            Some(name) if name.len() > 60 || !is_label(&name) => {
                Err(self.invalid("name", display_or_hide(&name), expected))
            }
            Some(name) => Ok(name),
        }
    }

    fn database(&self, name: Option<String>, databases: &[Database]) -> Result<Option<String>, ConfigError> {
        match &name {
            Some(name) if !databases.iter().any(|database| database.name == *name) => {
                let known: Vec<&str> = databases.iter().map(|database| database.name.as_str()).collect();
                let expected = format!("the name of a configured database: {}", known.join(", "));
                Err(self.invalid("database", display_or_hide(name), expected))
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
            self.invalid("table", display_with_problem(&text, &problem), expected)
        })
    }

    fn column(&self, key: &str, text: &str) -> Result<String, ConfigError> {
        parse_identifier(text).map_err(|problem| {
            let expected = "a column's name in SQL spelling (quote capitals, as in '\"userId\"')";
            self.invalid(key, display_with_problem(text, &problem), expected)
        })
    }

    fn expiry_rules(&self, raw: &RawStore, preset: Option<&RawStore>) -> Result<Vec<ExpiryRule>, ConfigError> {
        let mut meanings = Vec::new();
        if let Some(text) = &raw.expires_at {
            let column = self.column("expires_at", text)?;
            meanings.push(ExpiryRule { kind: ExpiryKind::ExpiresAt, column, timeout: Duration::ZERO });
        }
        let of_preset = |column: fn(&RawStore) -> &Option<String>| {
            preset.is_some_and(|preset| column(preset).is_some() && column(preset) == column(raw))
        };
        // A preset names the columns, and leaves it to you whether a session ends by them.
        let idle_may_lack = of_preset(|raw| &raw.last_activity);
        let absolute_may_lack = of_preset(|raw| &raw.created_at) || raw.max_per_user.is_some();
        let timed = [
            (ExpiryKind::LastActivity, &raw.last_activity, "idle_timeout", &raw.idle_timeout, idle_may_lack),
            (ExpiryKind::CreatedAt, &raw.created_at, "absolute_timeout", &raw.absolute_timeout, absolute_may_lack),
        ];
        for (kind, column, key, timeout, may_lack) in timed {
            match (column, timeout) {
                (Some(column), Some(text)) => {
                    let column = self.column(kind.key(), column)?;
                    let shortest = Duration::from_secs(1);
                    let timeout = duration(text, &self.key(key), self.places, shortest, LONGEST_SESSION)?;
                    meanings.push(ExpiryRule { kind, column, timeout });
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
            (Some(other), _) => return Err(self.invalid("encoding", display_or_hide(other), expected)),
        };
        match zone {
            Some(_) => {
                let found = format!("`time_zone` with encoding \"{}\", which has none", encoding.word());
                Err(self.invalid("time_zone", found, "no `time_zone`, or encoding \"timestamp\""))
            }
            None => Ok(encoding),
        }
    }

    /// PostgreSQL would take `UTC+3`, and `UTC3` too, for three hours west, and nobody means that.
    fn zone(&self, zone: &str) -> Result<Encoding, ConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        // Of all names outside Etc/ only these have a digit.
        let offset = zone.contains(|c: char| c.is_ascii_digit())
            && !["EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0"].contains(&zone);
        let named = zone.starts_with(|c: char| c.is_ascii_alphabetic()) && zone.chars().all(plain);
        if !named || offset && !zone.starts_with("Etc/") {
            let expected = "a time zone by its name, such as \"UTC\" or \"America/New_York\"";
            return Err(self.invalid("time_zone", display_or_hide(zone), expected));
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
            (Some(other), None) => Err(self.invalid("action", display_or_hide(other), expected)),
        }
    }

    fn max_per_user(
        &self,
        user: Option<&str>,
        keep: Option<i64>,
    ) -> Result<(Option<String>, Option<u32>), ConfigError> {
        let user = user.map(|text| self.column("user", text)).transpose()?;
        let keep = keep.map(|number| at_least_one(number, &self.key("max_per_user"), self.places)).transpose()?;
        if keep.is_some() && user.is_none() {
            let expected = "`user` beside it: the column that says whose a session is";
            return Err(self.invalid("max_per_user", "no `user`", expected));
        }
        Ok((user, keep))
    }

    fn batch(&self, batch: Option<i64>) -> Result<u32, ConfigError> {
        let Some(number) = batch else { return Ok(BATCH) };
        u32::try_from(number).ok().filter(|number| (1..=LARGEST_BATCH).contains(number)).ok_or_else(|| {
            let expected = format!("a whole number from 1 to {LARGEST_BATCH}");
            self.invalid("batch_size", format!("the number {number}"), expected)
        })
    }
}
