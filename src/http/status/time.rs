//! Points in time and durations for people. Times are UTC; the script adds the local time as a tooltip.

use chrono::{DateTime, Utc};

const DAY: f64 = 86_400.0;

/// `14:03:59`, without the day.
pub fn clock(at: f64) -> String {
    format(at, "%H:%M:%S")
}

/// `14:03`.
pub fn minute(at: f64) -> String {
    format(at, "%H:%M")
}

/// `Nov 21`.
pub fn day(at: f64) -> String {
    format(at, "%b %-d")
}

/// `14:03:59` of the day of `now`, `Nov 21` of another.
pub fn since(at: f64, now: f64) -> String {
    if (at / DAY).floor() == (now / DAY).floor() { clock(at) } else { day(at) }
}

/// The hour that begins at `at`: `14:00`, `14:00, Nov 28` on another day than `now`.
pub fn hour(at: f64, now: f64) -> String {
    if (at / DAY).floor() == (now / DAY).floor() { minute(at) } else { format!("{}, {}", minute(at), day(at)) }
}

/// ISO 8601, for `datetime`.
pub fn exact(at: f64) -> String {
    format(at, "%Y-%m-%dT%H:%M:%SZ")
}

fn format(at: f64, form: &str) -> String {
    let at: Option<DateTime<Utc>> = DateTime::from_timestamp(at as i64, 0);
    at.map_or_else(String::new, |at| at.format(form).to_string())
}

/// At most two units, as in `2 h 5 min`; `status.js` has the same format.
pub fn format_duration(seconds: f64) -> String {
    // The clock may have been set back.
    let seconds = seconds.max(0.0) as u64;
    let two = |large: u64, small: u64, (one, other): (&str, &str)| match small {
        0 => format!("{large} {one}"),
        small => format!("{large} {one} {small} {other}"),
    };
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => two(seconds / 60, seconds % 60, ("min", "s")),
        3600..86_400 => two(seconds / 3600, seconds % 3600 / 60, ("h", "min")),
        _ => two(seconds / 86_400, seconds % 86_400 / 3600, ("d", "h")),
    }
}

/// One unit, rounded down: `4 min`, `8 d`.
pub fn roughly(seconds: f64) -> String {
    let whole = format_duration(seconds);
    let mut words = whole.split(' ');
    match (words.next(), words.next()) {
        (Some(number), Some(unit)) => format!("{number} {unit}"),
        _ => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: f64 = 1_700_000_000.0;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let durations = [(-3.0, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60.0, "1 min"), (61.0, "1 min 1 s")];
        let longer = [(3600.0, "1 h"), (7500.0, "2 h 5 min"), (86_400.0, "1 d"), (100_000.0, "1 d 3 h")];
        for (seconds, expected) in durations.into_iter().chain(longer) {
            assert_eq!(format_duration(seconds), expected);
        }
        assert_eq!((roughly(7500.0), roughly(59.0)), ("2 h".to_owned(), "59 s".to_owned()));
    }

    #[test]
    fn a_time_of_another_day_is_its_day() {
        assert_eq!(exact(AT), "2023-11-14T22:13:20Z");
        assert_eq!((since(AT, AT + 60.0), since(AT, AT + DAY)), ("22:13:20".to_owned(), "Nov 14".to_owned()));
        assert_eq!((hour(AT, AT), hour(AT, AT + DAY)), ("22:13".to_owned(), "22:13, Nov 14".to_owned()));
    }
}
