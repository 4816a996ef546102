//! Random cron lines and patterns, compared with a plain implementation.

use std::time::{Duration, SystemTime};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::super::Schedule;
use super::super::Pattern;
use crate::proptest_config::cases;
use pgmedic_core::TableName;

/// Valid cron lines, some with a year.
fn cron() -> impl Strategy<Value = String> {
    let field = |least: u32, most: u32| {
        prop_oneof![
            3 => Just("*".to_owned()),
            2 => (least..=most).prop_map(|number| number.to_string()),
            1 => (1..=most).prop_map(|step| format!("*/{step}")),
            1 => (least..=most, 0..=most).prop_map(move |(from, more)| format!("{from}-{}", (from + more).min(most))),
            1 => vec(least..=most, 1..4).prop_map(|list| list.iter().map(u32::to_string).collect::<Vec<_>>().join(",")),
        ]
    };
    let day = prop_oneof![4 => field(1, 28), 1 => Just("L".to_owned()), 1 => Just("15W".to_owned())];
    let weekday = prop_oneof![4 => field(0, 7), 1 => Just("MON-FRI".to_owned()), 1 => Just("FRI#L".to_owned())];
    // Not both: together they may never match, and finding that out means searching all years.
    let days = prop_oneof![
        (day, field(1, 12)).prop_map(|(day, month)| format!("{day} {month} *")),
        (field(1, 12), weekday).prop_map(|(month, weekday)| format!("* {month} {weekday}")),
    ];
    let year = prop_oneof![4 => Just(String::new()), 1 => (2000..2200).prop_map(|year| format!(" {year}"))];
    (field(0, 59), field(0, 59), field(0, 23), days, year)
        .prop_map(|(second, minute, hour, days, year)| format!("{second} {minute} {hour} {days}{year}"))
}

fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
}

/// Whether the glob matches the name, by the plainest algorithm.
fn means(glob: &[char], name: &[char]) -> bool {
    match (glob, name) {
        ([], []) => true,
        (['*', glob @ ..], name) => (0..=name.len()).any(|taken| means(glob, &name[taken..])),
        (['?', glob @ ..], [_, name @ ..]) => means(glob, name),
        ([one, glob @ ..], [other, name @ ..]) => one == other && means(glob, name),
        _ => false,
    }
}

proptest! {
    #![proptest_config(cases(500))]

    #[test]
    fn a_line_is_taken_or_corrected_whenever_it_is_read(
        line in prop_oneof!["[0-9*/,#LW?+@A-Z -]{0,30}", "\\PC{0,100}", "([^ \0]{1,30}[ \t\u{a0}]){4}\\PC{1,30}"],
        now in 0..4_000_000_000_u64,
    ) {
        if let Err(expected) = Schedule::parse(&line, at(now)) {
            let expected = expected.to_string();
            prop_assert!(["fields", "fires", "every 30s"].iter().any(|part| expected.contains(part)), "{expected}");
            prop_assert!(expected.chars().count() < 300 && !expected.contains(char::is_control), "{expected:?}");
        }
    }

    #[test]
    fn a_line_as_it_is_allowed_is_taken_unless_its_year_is_over(line in cron(), now in 0..4_000_000_000_u64) {
        let taken = Schedule::parse(&line, at(now));
        let year = line.split(' ').nth(6).map(|year| year.parse::<u64>().unwrap());
        match year {
            // Years near the present one are skipped: the length of a year is rounded.
            Some(year) if (1970 + now / 31_556_952).abs_diff(year) < 2 => {}
            Some(year) => prop_assert_eq!(taken.is_ok(), year > 1970 + now / 31_556_952, "{}", line),
            None => prop_assert!(taken.is_ok(), "{}", line),
        }
    }
}

proptest! {
    #![proptest_config(cases(2000))]

    #[test]
    fn a_glob_means_what_a_plain_reading_of_it_says(glob in "[ab*?]{1,8}", name in "[ab*?]{0,10}") {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let meant = means(&chars(&glob), &chars(&name));
        for pattern in [format!("{glob}.s"), format!("\"{glob}\".\"s\"")] {
            prop_assert_eq!(pattern.parse::<Pattern>().unwrap().matches(&name, "s"), meant);
        }
        for pattern in [format!("s.{glob}"), format!("\"s\".\"{glob}\"")] {
            prop_assert_eq!(pattern.parse::<Pattern>().unwrap().matches("s", &name), meant);
        }
    }

    #[test]
    fn a_name_as_sql_writes_it_is_a_pattern_for_itself(schema in "[^\0*?]{1,12}", name in "[^\0*?]{1,12}") {
        let written = TableName { schema: schema.clone(), name: name.clone() }.to_string();
        let pattern: Pattern = written.parse().unwrap();
        prop_assert!(pattern.matches(&schema, &name));
        prop_assert!(!pattern.matches(&schema, &(name + "x")));
    }

    #[test]
    fn any_text_is_a_pattern_that_shows_as_it_was_written_or_none(
        text in prop_oneof!["[aB\"._$*? é]{0,12}", "\\PC{0,40}", vec(select(vec!["\"", ".", "*", "\0", "a"]), 0..9)
            .prop_map(|pieces| pieces.concat())],
    ) {
        if let Ok(pattern) = text.parse::<Pattern>() {
            prop_assert_eq!(pattern.to_string(), text);
        }
    }
}
