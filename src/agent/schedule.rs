//! The only file that knows the scheduler. It fires and nothing else: what a tick does is the keeper's business,
//! because the scheduler lets jobs overlap, neither waits for them nor cancels them, and forgets one that panics.

use chrono::Utc;
use croner::parser::{CronParser, Seconds};
use std::time::Duration;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// A running schedule.
pub struct Schedule {
    scheduler: JobScheduler,
}

impl Schedule {
    /// # Errors
    ///
    /// When the scheduler does not start.
    pub async fn start() -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Calls `tick` whenever `line` (six fields, UTC) says so. It must return at once, and must not panic.
    ///
    /// # Errors
    ///
    /// When the line is none; the configuration has checked it.
    pub async fn add(&self, line: &str, tick: impl Fn() + Send + Sync + 'static) -> Result<(), JobSchedulerError> {
        let job = Job::new(line, move |_, _| tick())?;
        self.scheduler.add(job).await.map(drop)
    }

    /// No tick comes any more.
    pub async fn stop(mut self) {
        if let Err(error) = self.scheduler.shutdown().await {
            tracing::debug!(%error, "the scheduler was stopped already");
        }
    }
}

/// The time between the next two ticks of a cron line; a day for one that does not fire twice.
pub fn interval(line: &str) -> Duration {
    const ONCE: Duration = Duration::from_secs(24 * 60 * 60);
    let parser = CronParser::builder().seconds(Seconds::Required).dom_and_dow(true).build();
    let Ok(cron) = parser.parse(line) else { return ONCE };
    // Not `iter_after`, which leaves out every other second of a line that fires each second.
    let next = |after| cron.find_next_occurrence(&after, false).ok();
    let ticks = next(Utc::now()).and_then(|first| Some((first, next(first)?)));
    ticks.and_then(|(first, second)| (second - first).to_std().ok()).unwrap_or(ONCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_the_time_between_two_ticks() {
        assert_eq!(interval("* * * * * *"), Duration::from_secs(1));
        assert_eq!(interval("*/30 * * * * *"), Duration::from_secs(30));
        assert_eq!(interval("0 0 * * * *"), Duration::from_secs(3600));
        assert_eq!(interval("0 0 0 1 1 * 2020"), Duration::from_secs(86_400));
    }
}
