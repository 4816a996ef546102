//! Points in time for people: how long ago, with the exact time as a tooltip. The script keeps them current.

use chrono::{DateTime, Utc};
use maud::{Markup, html};

/// `12 s ago`, as of `now`; both in seconds since 1970.
pub fn ago(at: f64, now: f64) -> Markup {
    let exact = exact(at);
    html! { time datetime=(exact) title=(exact) data-ago { (format_duration(now - at)) " ago" } }
}

/// `14:03:59 UTC`, without the day.
pub fn as_of(at: f64) -> Markup {
    let clock = utc(at).map_or_else(String::new, |at| at.format("%H:%M:%S UTC").to_string());
    html! { time #as-of datetime=(exact(at)) { (clock) } }
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

/// ISO 8601, for `datetime`.
fn exact(at: f64) -> String {
    utc(at).map_or_else(String::new, |at| at.format("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn utc(at: f64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(at as i64, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_two_units_at_most() {
        let durations = [(-3.0, "0 s"), (0.9, "0 s"), (59.9, "59 s"), (60.0, "1 min"), (61.0, "1 min 1 s")];
        let longer = [(3600.0, "1 h"), (7500.0, "2 h 5 min"), (86_400.0, "1 d"), (100_000.0, "1 d 3 h")];
        for (seconds, expected) in durations.into_iter().chain(longer) {
            assert_eq!(format_duration(seconds), expected);
        }
    }

    #[test]
    fn the_exact_time_stands_beside_it() {
        let shown = ago(1_700_000_000.0, 1_700_000_012.0).into_string();
        assert!(shown.contains("datetime=\"2023-11-14T22:13:20Z\"") && shown.contains(">12 s ago<"), "{shown}");
    }
}
