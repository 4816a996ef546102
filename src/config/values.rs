//! Checks of single values, shared by the sections so that their errors have the same words.

use std::time::Duration;

use super::error::{ConfigError, display_or_hide, is_connection, is_shown};
use super::layers::ConfigLocations;
use pgmedic_core::NameError;

pub(super) fn count(number: i64, key: &str, locations: &ConfigLocations) -> Result<u32, ConfigError> {
    u32::try_from(number).map_err(|_| {
        let expected = format!("a whole number from 0 to {}", u32::MAX);
        locations.invalid(key, format!("the number {number}"), expected)
    })
}

pub(super) fn at_least_one(number: i64, key: &str, locations: &ConfigLocations) -> Result<u32, ConfigError> {
    u32::try_from(number).ok().filter(|number| *number > 0).ok_or_else(|| {
        let expected = format!("a whole number from 1 to {}", u32::MAX);
        locations.invalid(key, format!("the number {number}"), expected)
    })
}

pub(super) fn ratio(number: f64, key: &str, locations: &ConfigLocations) -> Result<f64, ConfigError> {
    if number > 0.0 && number <= 1.0 {
        Ok(number)
    } else {
        let expected = "a number above 0 and up to 1";
        Err(locations.invalid(key, format!("the number {number}"), expected))
    }
}

/// A timeout of a statement. PostgreSQL counts in whole milliseconds and reads 0 as "no limit", which is not allowed here.
pub(super) fn timeout(text: &str, key: &str, locations: &ConfigLocations) -> Result<Duration, ConfigError> {
    duration(text, key, locations, Duration::from_millis(1), Duration::from_secs(24 * 60 * 60))
}

/// A duration in whole milliseconds, within limits.
pub(super) fn duration(
    text: &str,
    key: &str,
    locations: &ConfigLocations,
    shortest: Duration,
    longest: Duration,
) -> Result<Duration, ConfigError> {
    humantime::parse_duration(text)
        .ok()
        .filter(|duration| (shortest..=longest).contains(duration))
        .filter(|duration| duration.subsec_nanos() % 1_000_000 == 0)
        .ok_or_else(|| {
            let [shortest, longest] = [shortest, longest].map(humantime::format_duration);
            let expected =
                format!("a duration from {shortest} to {longest} in whole milliseconds, such as \"100ms\" or \"5s\"");
            locations.invalid(key, display_or_hide(text), expected)
        })
}

/// Whether the text can be a label in logs, reports and metrics: not blank, no URL, no control characters.
pub(super) fn is_label(text: &str) -> bool {
    !(text.trim().is_empty() || is_connection(text) || text.chars().any(char::is_control))
}

/// The text and the problem with it. If the text may not be shown, the problem is not shown either.
pub(super) fn display_with_problem(text: &str, problem: &NameError) -> String {
    if is_shown(text) { format!("{} ({problem})", display_or_hide(text)) } else { display_or_hide(text) }
}
