//! The scheduler accepts every cron line that the configuration accepts.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::agent::scheduler::cron_intervals::intervals;
use crate::agent::scheduler::job;
use crate::config::{Environment, Settings};
use crate::proptest_config::cases;
use std::time::Duration;

proptest! {
    #![proptest_config(cases(100))]

    #[test]
    fn every_line_that_is_taken_is_one_for_the_scheduler_and_ticks(
        line in vec(select(vec!["*", "0", "*/7", "1-5", "5,6", "L", "15W", "MON", "7", "?", "2#3", "FRI#L", "1L", "2050"]), 6..8)
            .prop_map(|fields| fields.join(" ")),
        around in select(vec!["", " ", "\t", "@daily", "@Yearly ", "every 90s", "7days"]),
    ) {
        let line = if around.trim() != "" { around.to_owned() } else { format!("{around}{line}{around}") };
        let variables = [("DATABASE_URL", "postgres://u@h/d"), ("PGMEDIC_SEQUENCES__SCHEDULE", &line)];
        if let Ok(settings) = Settings::load(None, &Environment::from_iter(variables)) {
            let line = settings.sequences.schedule;
            prop_assert!(job(&line, std::sync::Arc::new(|| {})).is_ok(), "{line:?}");
            prop_assert!(intervals(&line, crate::clock::now().into()).shortest >= Duration::from_secs(1), "{line:?}");
        }
    }
}
