//! Schedules: cron lines and durations. Cron lines are checked before the scheduler gets them, whose own error does not
//! say what is wrong.

use std::fmt;
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use croner::parser::{CronParser, Seconds};

use super::error::{display_or_hide, is_shown};

/// When to work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// A cron line of six fields, seconds first, UTC.
    Cron(String),
    /// Again and again after this time, in whole seconds, from the start on.
    Every(Duration),
}

/// As it can be written.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cron(line) => f.write_str(line),
            Self::Every(duration) => write!(f, "every {}", humantime::format_duration(*duration)),
        }
    }
}

/// The parser of every cron line, with the options of tokio-cron-scheduler: six fields, and a day of the month and a
/// weekday must both match.
pub fn cron_parser() -> CronParser {
    CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build()
}

const FIELDS: &str = "six fields: second minute hour day month weekday (UTC)";

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Why a line cannot be a schedule. The text says what was expected.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScheduleError {
    #[error("{FIELDS}; seconds come first, so write {corrected}")]
    NoSeconds { corrected: String },
    #[error("a cron line of {FIELDS}, such as \"*/30 * * * * *\", or a duration, such as \"every 30s\"")]
    NotCron,
    #[error("a duration from 1s to 7days in whole seconds, such as \"every 30s\"")]
    NoDuration,
    #[error("a cron line that fires at some time from now on")]
    NeverFires,
}

impl Schedule {
    /// Reads a duration, or a cron line that fires after `now`.
    pub(super) fn parse(line: &str, now: SystemTime) -> Result<Self, ScheduleError> {
        let text = line.trim();
        let stated = text.strip_prefix("every ").map(str::trim);
        match (humantime::parse_duration(stated.unwrap_or(text)), stated) {
            (Ok(every), _) if (SHORTEST..=LONGEST).contains(&every) && every.subsec_nanos() == 0 => {
                Ok(Self::Every(every))
            }
            (Ok(_), _) | (Err(_), Some(_)) => Err(ScheduleError::NoDuration),
            (Err(_), None) => check(line, now).map(|()| Self::Cron(line.to_owned())),
        }
    }
}

/// Checks that the line is a cron line that fires after `now`.
fn check(line: &str, now: SystemTime) -> Result<(), ScheduleError> {
    if !line.contains('@') && line.split_whitespace().count() == 5 {
        let corrected = format!("0 {}", line.split_whitespace().collect::<Vec<_>>().join(" "));
        // Show the corrected line only if it may be shown and could be a cron line.
        let plain = corrected.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        let corrected =
            if plain && is_shown(&corrected) { display_or_hide(&corrected) } else { "\"0 …\"".to_owned() };
        return Err(ScheduleError::NoSeconds { corrected });
    }
    let cron = cron_parser().parse(line).map_err(|_| ScheduleError::NotCron)?;
    match cron.find_next_occurrence(&DateTime::<Utc>::from(now), true) {
        Ok(_) => Ok(()),
        Err(_) => Err(ScheduleError::NeverFires),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// 15 January 2026
    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_768_435_200)
    }

    #[test]
    fn six_fields_and_nicknames_are_good() {
        for line in ["*/30 * * * * *", "0 15 3 * * MON-FRI", "0 0 0 29 2 *", "@hourly", "0 0 0 1 1 * 2030"] {
            assert_eq!(check(line, now()), Ok(()), "{line}");
        }
    }

    #[test]
    fn a_duration_is_a_schedule_with_and_without_every() {
        for (text, seconds) in [("30s", 30), ("every 30s", 30), (" every 1m 30s ", 90), ("every 6h", 6 * 3600)] {
            assert_eq!(Schedule::parse(text, now()), Ok(Schedule::Every(Duration::from_secs(seconds))), "{text}");
        }
        assert_eq!(Schedule::Every(Duration::from_secs(90)).to_string(), "every 1m 30s");
        for text in ["0s", "every 10ms", "every 1500ms", "every 8days", "every", "every now and then"] {
            let expected = Schedule::parse(text, now()).unwrap_err().to_string();
            assert!(expected.contains("every 30s"), "{text}: {expected}");
        }
    }

    #[test]
    fn a_five_field_line_is_refused_and_corrected() {
        let expected = check("*/5 * * * *", now()).unwrap_err().to_string();
        assert!(expected.contains("six fields"), "{expected}");
        assert!(expected.contains(r#""0 */5 * * * *""#), "{expected}");
    }

    #[test]
    fn nonsense_is_refused() {
        for line in ["", "often", "61 * * * * *", "*/0 * * * * *", "0 0 0 * * * * *", "@sometimes"] {
            assert!(check(line, now()).unwrap_err().to_string().contains("six fields"), "{line}");
        }
    }

    #[test]
    fn a_line_that_never_fires_again_is_refused() {
        for line in ["0 0 0 30 2 *", "0 0 0 1 1 * 2020"] {
            assert!(check(line, now()).unwrap_err().to_string().contains("fires"), "{line}");
        }
    }

    #[test]
    fn a_day_of_the_month_and_a_weekday_must_both_match_as_in_the_scheduler() {
        // Were one enough, every Monday in February would do.
        assert!(check("0 0 0 30 2 MON", now()).is_err());
        assert_eq!(check("0 0 0 28 2 MON", now()), Ok(()));
    }

    proptest! {
        #[test]
        fn no_line_makes_the_check_panic(line in "(every )?[0-9*/,#LW?+@A-Fhms -]{0,30}") {
            let _ = Schedule::parse(&line, now());
        }
    }
}
