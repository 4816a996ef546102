//! Checks the keys that say which rows are sessions and what their times mean.

use super::super::error::{ConfigError, display_or_hide};
use super::super::keys::WrittenStore;
use super::super::log::parse_choice;
use super::validate::StoreValidator;
use super::{Condition, Encoding, ExpiryKind, Lifetime, LifetimeUnit, Scalar};

impl StoreValidator<'_> {
    /// A lifetime for each session, and what it counts from: the creation, or where that is not given the last activity.
    pub(super) fn lifetime(&self, written: &WrittenStore) -> Result<Option<(ExpiryKind, Lifetime)>, ConfigError> {
        let Some(lifetime) = &written.lifetime else { return Ok(None) };
        let example = "lifetime = { column = \"expires_in\", unit = \"seconds\" }";
        let column = lifetime.column.as_deref().ok_or_else(|| self.invalid("lifetime", "no `column`", example))?;
        let column = self.column("lifetime.column", column)?;
        let unit = lifetime.unit.as_deref().ok_or_else(|| self.invalid("lifetime", "no `unit`", example))?;
        let unit = parse_choice(unit, LifetimeUnit::WORDS, &self.key("lifetime.unit"), self.locations)?;
        let kind = match (&written.created_at, &written.last_activity) {
            (Some(_), _) => ExpiryKind::CreatedAt,
            (None, Some(_)) => ExpiryKind::LastActivity,
            (None, None) => {
                let expected = "the column that it counts from, as `created_at` or `last_activity`";
                return Err(self.invalid("lifetime", "neither `created_at` nor `last_activity`", expected));
            }
        };
        if written.encoding.as_deref() == Some("date") {
            return Err(self.invalid("lifetime", "encoding \"date\"", "an encoding with a time of day"));
        }
        Ok(Some((kind, Lifetime { column, unit })))
    }

    /// Which rows are sessions.
    pub(super) fn only(&self, written: &WrittenStore) -> Result<Vec<Condition>, ConfigError> {
        let mut conditions = Vec::new();
        for (name, values) in written.only.iter().flatten() {
            let key = format!("only.{name}");
            let column = self.column(&key, name)?;
            if values.as_slice().is_empty() {
                return Err(self.invalid(&key, "an empty list", "at least one value"));
            }
            let value = |value: &Scalar| match value {
                Scalar::Text(text) if text == "null" => None,
                value => Some(value.clone()),
            };
            conditions.push(Condition { column, values: values.as_slice().iter().map(value).collect() });
        }
        Ok(conditions)
    }

    pub(super) fn encoding(&self, encoding: Option<&str>, zone: Option<&str>) -> Result<Encoding, ConfigError> {
        let expected = "one of timestamptz, timestamp, epoch-seconds, epoch-millis, epoch-micros, epoch-nanos, date";
        let encoding = match (encoding, zone) {
            (None, _) => return Err(self.locations.invalid(&self.table, "no `encoding`", expected)),
            (Some(word @ ("timestamp" | "date")), None) => {
                let expected = "`time_zone`: the zone of the clock that writes the columns, such as \"UTC\" or \
                                \"America/New_York\" (where the server fills them in: SHOW TimeZone on the \
                                application's connection)";
                let found = format!("encoding \"{word}\" and no `time_zone`");
                return Err(self.locations.invalid(&self.table, found, expected));
            }
            (Some("timestamp"), Some(zone)) => return Ok(Encoding::Timestamp { time_zone: self.zone(zone)? }),
            (Some("date"), Some(zone)) => return Ok(Encoding::Date { time_zone: self.zone(zone)? }),
            (Some("timestamptz"), _) => Encoding::Timestamptz,
            (Some("epoch-seconds"), _) => Encoding::EpochSeconds,
            (Some("epoch-millis"), _) => Encoding::EpochMillis,
            (Some("epoch-micros"), _) => Encoding::EpochMicros,
            (Some("epoch-nanos"), _) => Encoding::EpochNanos,
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

    /// Accepts names only: PostgreSQL reads `UTC+3`, and `UTC3` too, as three hours west of UTC.
    fn zone(&self, zone: &str) -> Result<String, ConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '_' | '-' | '+');
        // The only names outside Etc/ that contain a digit.
        let offset = zone.contains(|c: char| c.is_ascii_digit())
            && !["EST5EDT", "CST6CDT", "MST7MDT", "PST8PDT", "GMT0"].contains(&zone);
        let named = zone.starts_with(|c: char| c.is_ascii_alphabetic()) && zone.chars().all(plain);
        if !named || offset && !zone.starts_with("Etc/") {
            let expected = "a time zone by its name, such as \"UTC\" or \"America/New_York\"";
            return Err(self.invalid("time_zone", display_or_hide(zone), expected));
        }
        Ok(zone.to_owned())
    }
}
