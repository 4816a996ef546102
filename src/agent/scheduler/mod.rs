//! The only file that knows the scheduler. It fires and nothing else: what a tick does is the keeper's business,
//! because the scheduler lets jobs overlap, neither waits for them nor cancels them, and forgets one that panics.

pub mod clock_jump;
pub mod cron_intervals;

use std::collections::HashMap;
use std::sync::Arc;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use uuid::Uuid;

/// What a line is to call.
type Tick = Arc<dyn Fn() + Send + Sync>;

/// A running schedule. One for the agent's whole life: a scheduler that was stopped keeps its memory for ever.
pub struct Scheduler {
    scheduler: JobScheduler,
    jobs: HashMap<JobId, Job>,
    next: JobId,
}

/// Takes a line off the schedule again.
pub type JobId = u64;

struct Job {
    id: Uuid,
    line: String,
    tick: Tick,
}

impl Scheduler {
    /// # Errors
    ///
    /// When the scheduler does not start.
    pub async fn start() -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        scheduler.start().await?;
        Ok(Self { scheduler, jobs: HashMap::new(), next: 0 })
    }

    /// Calls `tick` whenever `line` (six fields, UTC) says so. It must return at once, and must not panic.
    ///
    /// # Errors
    ///
    /// When the line is none; the configuration has checked it.
    pub async fn add(
        &mut self,
        line: &str,
        tick: impl Fn() + Send + Sync + 'static,
    ) -> Result<JobId, JobSchedulerError> {
        let tick: Tick = Arc::new(tick);
        let id = self.register(line, &tick).await?;
        self.next += 1;
        self.jobs.insert(self.next, Job { id, line: line.to_owned(), tick });
        Ok(self.next)
    }

    /// No tick of this one comes any more.
    pub async fn remove(&mut self, ticket: JobId) {
        if let Some(job) = self.jobs.remove(&ticket) {
            self.unregister(job.id).await;
        }
    }

    /// Reckons every line's next tick anew: the scheduler waits for the ones that it has reckoned once, and after the
    /// clock was set back they may be hours away.
    pub async fn reschedule_all(&mut self) {
        for (ticket, job) in std::mem::take(&mut self.jobs) {
            self.unregister(job.id).await;
            match self.register(&job.line, &job.tick).await {
                Ok(id) => drop(self.jobs.insert(ticket, Job { id, ..job })),
                Err(error) => tracing::error!(line = job.line, %error, "a line is off the schedule"),
            }
        }
    }

    async fn register(&self, line: &str, tick: &Tick) -> Result<Uuid, JobSchedulerError> {
        let tick = Arc::clone(tick);
        self.scheduler.add(tokio_cron_scheduler::Job::new(line, move |_, _| tick())?).await
    }

    async fn unregister(&self, id: Uuid) {
        if let Err(error) = self.scheduler.remove(&id).await {
            tracing::debug!(%error, "a line was off the schedule already");
        }
    }
}

#[cfg(test)]
#[path = "scheduler_fuzz.rs"]
mod fuzz;
