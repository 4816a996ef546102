//! Applies presets and defaults to the `[[sessions]]` tables, and checks their values.

use std::time::{Duration, SystemTime};

use super::super::error::{ConfigError, display_or_hide};
use super::super::keys::{Optional, WrittenRevoke, WrittenStore};
use super::super::layers::ConfigLocations;
use super::super::presets::Preset;
use super::super::schema::nearest;
use super::super::servers::expected_instead;
use super::super::values::{at_least_one, count, display_with_problem, duration, is_label, ratio, timeout};
use super::super::{Database, Schedule, Sequences, Server};
use super::{Action, ExpiryKind, ExpiryRule, Scalar, SessionStoreConfig};
use pgmedic_core::{TableName, parse_identifier};

/// The values of keys that a store leaves out. `config/pgmedic.toml` shows them.
fn defaults() -> WrittenStore {
    WrittenStore {
        schedule: Some("0 * * * * *".to_owned()),
        batch_size: Some(2000),
        grace_period: Some("1m".to_owned()),
        max_ended_ratio: Some(0.5),
        guard_min_sessions: Some(100),
        ..WrittenStore::default()
    }
}

/// A larger transaction would make logins wait, and write much WAL at once.
const MAX_BATCH_SIZE: i64 = 10_000;

/// A hundred years: more than any application uses.
const MAX_SESSION_AGE: Duration = Duration::from_secs(100 * 366 * 24 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Fills in the keys that a store leaves out: from its preset, then from the defaults.
pub(in crate::config) fn apply_presets(
    stores: &mut [WrittenStore],
    locations: &ConfigLocations,
) -> Result<(), ConfigError> {
    for (index, store) in stores.iter_mut().enumerate() {
        let validator = StoreValidator { table: format!("sessions[{index}]"), locations };
        let mut preset = validator.preset(store)?.unwrap_or_default();
        // A time zone belongs to the encoding beside it.
        if store.encoding.is_some() {
            preset.time_zone = None;
        }
        preset.name.clone_from(&store.preset);
        let mut defaults = defaults();
        if store.revoke.is_none() {
            defaults.action = Some("delete".to_owned());
        }
        *store = std::mem::take(store).or(preset).or(defaults);
    }
    Ok(())
}

/// Checks the tables, to which presets and defaults have been applied.
pub(in crate::config) fn validate(
    written: &[WrittenStore],
    databases: (&[Database], &[Server]),
    sequences: &Sequences,
    locations: &ConfigLocations,
    now: SystemTime,
) -> Result<Vec<SessionStoreConfig>, ConfigError> {
    let mut stores: Vec<SessionStoreConfig> = Vec::with_capacity(written.len());
    for (index, table) in written.iter().enumerate() {
        let validator = StoreValidator { table: format!("sessions[{index}]"), locations };
        let store = validator.store(table, databases, sequences, now)?;
        if let Some(other) = stores.iter().position(|other| other.name == store.name) {
            let found = format!("{}, the name of sessions[{other}] too", display_or_hide(&store.name));
            return Err(validator.invalid("name", found, "a different `name` for each store"));
        }
        if let Some(other) = stores.iter().position(|other| other.may_overlap(&store)) {
            let found = format!("{}, the table of sessions[{other}] too", store.table);
            let expected = "`only` in each of the two, with different values of one column: a session that lives by the one \
                            may be over by the other";
            return Err(validator.invalid("table", found, expected));
        }
        stores.push(store);
    }
    let others_of = |store: &SessionStoreConfig| {
        let others = stores.iter().filter(|other| store.may_share_database(other) && other.table != store.table);
        others.map(|other| other.table.clone()).collect()
    };
    let other_stores: Vec<Vec<TableName>> = stores.iter().map(others_of).collect();
    for (store, others) in stores.iter_mut().zip(other_stores) {
        store.other_stores = others;
    }
    Ok(stores)
}

/// Checks one `[[sessions]]` table.
pub(super) struct StoreValidator<'a> {
    pub(super) table: String,
    pub(super) locations: &'a ConfigLocations,
}

impl StoreValidator<'_> {
    pub(super) fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.table)
    }

    pub(super) fn invalid(&self, key: &str, found: impl Into<String>, expected: impl Into<String>) -> ConfigError {
        self.locations.invalid(self.key(key), found, expected)
    }

    /// The value of a key that must be set.
    fn required<'a, T: ?Sized>(&self, key: &str, value: Option<&'a T>, expected: &str) -> Result<&'a T, ConfigError> {
        value.ok_or_else(|| self.locations.invalid(&self.table, format!("no `{key}`"), expected))
    }

    fn store(
        &self,
        written: &WrittenStore,
        databases: (&[Database], &[Server]),
        sequences: &Sequences,
        now: SystemTime,
    ) -> Result<SessionStoreConfig, ConfigError> {
        let database = self.database(written.database.as_ref(), databases)?;
        let table = self.table(written.table.as_deref())?;
        let encoding = self.encoding(written.encoding.as_deref(), written.time_zone.as_deref())?;
        let meanings = self.expiry_rules(written)?;
        let (user, max_per_user) = self.max_per_user(written)?;
        let created_at = written.created_at.as_deref().map(|text| self.column("created_at", text)).transpose()?;
        if max_per_user.is_some() && created_at.is_none() {
            let expected = "the column with the time when a session was created: ordered by expiry or last use, \
                            `max_per_user` might end the newest session";
            return Err(self.invalid("created_at", "none", expected));
        }
        let newest_by = created_at.clone().unwrap_or_else(|| meanings[0].column.clone());
        let is_zone_of_preset = self
            .preset(written)?
            .is_some_and(|preset| preset.time_zone.is_some() && preset.time_zone == written.time_zone);
        let locations = self.locations;
        let schedule = self.required("schedule", written.schedule.as_deref(), "a cron line or a duration")?;
        let schedule = Schedule::parse(schedule, now)
            .map_err(|expected| self.invalid("schedule", display_or_hide(schedule), expected.to_string()))?;
        let grace_period = self.required("grace_period", written.grace_period.as_deref(), "a duration")?;
        let max_ended_ratio = self.required("max_ended_ratio", written.max_ended_ratio.as_ref(), "a number")?;
        let min_sessions = self.required("guard_min_sessions", written.guard_min_sessions.as_ref(), "a number")?;
        let sweep_timeout = written.sweep_timeout.as_deref();
        let sweep_timeout =
            sweep_timeout.map(|text| timeout(text, &self.key("sweep_timeout"), locations)).transpose()?;
        Ok(SessionStoreConfig {
            name: self.name(written.name.as_deref())?,
            other_stores: Vec::new(),
            declared_ids: sequences.feeds.iter().filter_map(|feed| feed.declared_id(database.as_deref())).collect(),
            repairs_sequences: sequences.repair,
            sequence_rules: sequences.rules.clone(),
            database,
            table,
            only: self.only(written)?,
            meanings,
            encoding,
            is_zone_of_preset,
            created_at,
            action: self.action(written.action.as_deref(), written.revoke.as_ref())?,
            user,
            max_per_user,
            newest_by,
            schedule,
            batch_size: self.batch_size(written.batch_size)?,
            grace_period: duration(grace_period, &self.key("grace_period"), locations, Duration::ZERO, DAY)?,
            max_ended_ratio: ratio(*max_ended_ratio, &self.key("max_ended_ratio"), locations)?,
            guard_min_sessions: count(*min_sessions, &self.key("guard_min_sessions"), locations)?,
            sweep_timeout,
        })
    }

    /// The keys of the preset that the store names.
    fn preset(&self, store: &WrittenStore) -> Result<Option<WrittenStore>, ConfigError> {
        let Some(name) = &store.preset else { return Ok(None) };
        if let Some(preset) = Preset::by_name(name) {
            return Ok(Some(preset.store));
        }
        let hint = match nearest(name, Preset::names()) {
            Some(near) => format!("{near}, perhaps"),
            None => Preset::names().collect::<Vec<_>>().join(", "),
        };
        let expected = format!("a preset (see `pgmedic presets`): {hint}");
        Err(self.invalid("preset", display_or_hide(name), expected))
    }

    fn name(&self, name: Option<&str>) -> Result<String, ConfigError> {
        let expected = "a short label, such as \"logins\"";
        let name = self.required("name", name, expected)?;
        if name.len() > 60 || !is_label(name) {
            return Err(self.invalid("name", display_or_hide(name), expected));
        }
        Ok(name.to_owned())
    }

    fn database(
        &self,
        name: Option<&String>,
        (databases, servers): (&[Database], &[Server]),
    ) -> Result<Option<String>, ConfigError> {
        if let Some(name) = name
            && let Some(expected) = expected_instead(name, databases, servers)
        {
            return Err(self.invalid("database", display_or_hide(name), expected));
        }
        Ok(name.cloned())
    }

    fn table(&self, table: Option<&str>) -> Result<TableName, ConfigError> {
        let Some(text) = table else {
            return Err(self.locations.invalid(&self.table, "neither `table` nor `preset`", "one of them"));
        };
        text.parse().map_err(|problem| {
            let expected = "schema.table in SQL spelling (the schema is never guessed; quote capitals and dots)";
            self.invalid("table", display_with_problem(text, &problem), expected)
        })
    }

    pub(super) fn column(&self, key: &str, text: &str) -> Result<String, ConfigError> {
        parse_identifier(text).map_err(|problem| {
            let expected = "a column's name in SQL spelling (quote capitals, as in '\"userId\"')";
            self.invalid(key, display_with_problem(text, &problem), expected)
        })
    }

    fn expiry_rules(&self, written: &WrittenStore) -> Result<Vec<ExpiryRule>, ConfigError> {
        let mut meanings = Vec::new();
        if let Some(text) = &written.expires_at {
            let column = self.column("expires_at", text)?;
            let timeout = Duration::ZERO;
            meanings.push(ExpiryRule { kind: ExpiryKind::ExpiresAt, column, timeout, lifetime: None });
        }
        // A preset names columns; the configuration decides whether a session expires by them.
        let preset = self.preset(written)?;
        let of_preset = |column: fn(&WrittenStore) -> &Option<String>| {
            preset.as_ref().is_some_and(|preset| column(preset).is_some() && column(preset) == column(written))
        };
        let idle_may_lack = of_preset(|store| &store.last_activity);
        let absolute_may_lack = of_preset(|store| &store.created_at) || written.max_per_user.is_some();
        let timed = [
            (ExpiryKind::LastActivity, &written.last_activity, "idle_timeout", &written.idle_timeout, idle_may_lack),
            (
                ExpiryKind::CreatedAt,
                &written.created_at,
                "absolute_timeout",
                &written.absolute_timeout,
                absolute_may_lack,
            ),
        ];
        let lifetime = self.lifetime(written)?;
        for (kind, column, key, timeout, may_lack) in timed {
            match (column, timeout) {
                (Some(column), None) if lifetime.as_ref().is_some_and(|(of, _)| *of == kind) => {
                    let column = self.column(kind.key(), column)?;
                    let lifetime = lifetime.clone().map(|(_, lifetime)| lifetime);
                    meanings.push(ExpiryRule { kind, column, timeout: Duration::ZERO, lifetime });
                }
                (Some(_), Some(_)) if lifetime.as_ref().is_some_and(|(of, _)| *of == kind) => {
                    let expected = format!("`lifetime` or `{key}`, because both count from `{}`", kind.key());
                    return Err(self.invalid("lifetime", format!("`{key}` as well"), expected));
                }
                (Some(column), Some(text)) => {
                    let column = self.column(kind.key(), column)?;
                    let shortest = Duration::from_secs(1);
                    let timeout = duration(text, &self.key(key), self.locations, shortest, MAX_SESSION_AGE)?;
                    meanings.push(ExpiryRule { kind, column, timeout, lifetime: None });
                }
                (Some(_), None) if !may_lack => {
                    let expected = format!("`{key}` beside `{}`", kind.key());
                    return Err(self.locations.invalid(&self.table, format!("no `{key}`"), expected));
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
            return Err(self.locations.invalid(&self.table, "nothing that says when a session expires", expected));
        }
        Ok(meanings)
    }

    fn action(&self, action: Option<&str>, revoke: Option<&WrittenRevoke>) -> Result<Action, ConfigError> {
        let expected = "action = \"delete\", or revoke = { column = \"revoked_at\" }";
        match (action, revoke) {
            (None | Some("delete"), None) => Ok(Action::Delete),
            (None, Some(WrittenRevoke { value: Some(Scalar::Text(text)), .. })) if text == "null" => {
                let expected = "a value that tells a session as ended; without `value`, the column is set to the time";
                Err(self.invalid("revoke.value", "\"null\", which means NULL in `only`", expected))
            }
            (None, Some(WrittenRevoke { column: Some(column), value })) => {
                Ok(Action::Revoke { column: self.column("revoke.column", column)?, value: value.clone() })
            }
            (None, Some(_)) => Err(self.invalid("revoke", "no `column`", "revoke = { column = \"revoked_at\" }")),
            (Some(_), Some(_)) => Err(self.invalid("action", "`revoke` as well", expected)),
            (Some(other), None) => Err(self.invalid("action", display_or_hide(other), expected)),
        }
    }

    /// The columns with the session's user, and how many sessions one may have.
    fn max_per_user(&self, written: &WrittenStore) -> Result<(Vec<String>, Option<u32>), ConfigError> {
        let names = written.user.as_ref().map_or(&[][..], |user| user.as_slice());
        let user = names.iter().map(|text| self.column("user", text)).collect::<Result<Vec<_>, _>>()?;
        let limit = written.max_per_user;
        let limit = limit.map(|number| at_least_one(number, &self.key("max_per_user"), self.locations)).transpose()?;
        if limit.is_some() && user.is_empty() {
            let expected = "`user` beside it: the column with the session's user";
            return Err(self.invalid("max_per_user", "no `user`", expected));
        }
        if limit.is_some() && written.encoding.as_deref() == Some("date") {
            let expected = "an encoding with a time of day, which tells the newest session of a day";
            return Err(self.invalid("max_per_user", "encoding \"date\"", expected));
        }
        Ok((user, limit))
    }

    fn batch_size(&self, number: Option<i64>) -> Result<u32, ConfigError> {
        let expected = format!("a whole number from 1 to {MAX_BATCH_SIZE}");
        let number = *self.required("batch_size", number.as_ref(), &expected)?;
        match u32::try_from(number) {
            Ok(size) if (1..=MAX_BATCH_SIZE).contains(&number) => Ok(size),
            _ => Err(self.invalid("batch_size", format!("the number {number}"), expected)),
        }
    }
}
