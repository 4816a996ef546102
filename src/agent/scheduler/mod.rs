//! Ticks by schedules, on tokio-cron-scheduler, which only this file uses. A tick only triggers a worker: the scheduler
//! lets jobs overlap, neither waits for them nor cancels them, and drops a job that panics.
//!
//! | file | what is in it |
//! |---|---|
//! | `cron_intervals.rs` | the shortest and the longest time between two ticks of a line |
//! | `clock_jump.rs` | notices that the system clock was set back, which the scheduler would wait out |

pub mod clock_jump;
pub mod cron_intervals;

use crate::config::Schedule;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_cron_scheduler::{JobScheduler, JobSchedulerError};
use uuid::Uuid;

/// What the scheduler calls when a line ticks.
type Tick = Arc<dyn Fn() + Send + Sync>;

/// A running scheduler: one for the process, because tokio-cron-scheduler leaks the memory of one that was stopped.
pub struct Scheduler {
    scheduler: JobScheduler,
    jobs: HashMap<JobId, Job>,
    next: JobId,
}

/// Removes a job.
pub type JobId = u64;

struct Job {
    id: Uuid,
    schedule: Schedule,
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

    /// Calls `tick` whenever the schedule says so. It must return at once, and must not panic.
    ///
    /// # Errors
    ///
    /// When the schedule is not valid. The configuration has checked it.
    pub async fn add(
        &mut self,
        schedule: &Schedule,
        tick: impl Fn() + Send + Sync + 'static,
    ) -> Result<JobId, JobSchedulerError> {
        let tick: Tick = Arc::new(tick);
        let id = self.register(schedule, &tick).await?;
        self.next += 1;
        self.jobs.insert(self.next, Job { id, schedule: schedule.clone(), tick });
        Ok(self.next)
    }

    /// The job ticks no more.
    pub async fn remove(&mut self, job_id: JobId) {
        if let Some(job) = self.jobs.remove(&job_id) {
            self.unregister(job.id).await;
        }
    }

    /// Computes the next tick of every line anew. The scheduler keeps the times that it has computed, and after the clock
    /// was set back they may be hours away.
    pub async fn reschedule_all(&mut self) {
        for (job_id, job) in std::mem::take(&mut self.jobs) {
            self.unregister(job.id).await;
            match self.register(&job.schedule, &job.tick).await {
                Ok(id) => drop(self.jobs.insert(job_id, Job { id, ..job })),
                Err(error) => {
                    tracing::error!(schedule = %job.schedule, %error, "{} could not be scheduled again", job.schedule)
                }
            }
        }
    }

    async fn register(&self, schedule: &Schedule, tick: &Tick) -> Result<Uuid, JobSchedulerError> {
        self.scheduler.add(job(schedule, Arc::clone(tick))?).await
    }

    async fn unregister(&self, id: Uuid) {
        if let Err(error) = self.scheduler.remove(&id).await {
            tracing::debug!(%error, "a schedule was removed already");
        }
    }
}

fn job(schedule: &Schedule, tick: Tick) -> Result<tokio_cron_scheduler::Job, JobSchedulerError> {
    match schedule {
        Schedule::Cron(line) => tokio_cron_scheduler::Job::new(line.as_str(), move |_, _| tick()),
        Schedule::Every(every) => tokio_cron_scheduler::Job::new_repeated(*every, move |_, _| tick()),
    }
}

#[cfg(test)]
#[path = "scheduler_fuzz.rs"]
mod fuzz;
