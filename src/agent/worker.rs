//! What the workers over sequences and over session stores have in common: a task of one database, started, ticked and
//! ended.

use crate::config::Schedule;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// A schedule, and what the scheduler calls when it is due.
pub struct Tick {
    pub schedule: Schedule,
    pub handler: Box<dyn Fn() + Send + Sync>,
}

/// A running task. Dropping it aborts the task.
pub struct Worker {
    database: String,
    pass: &'static str,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
    ticks: Vec<Tick>,
}

impl Worker {
    /// Runs `work` until `stop` is cancelled. `pass` names what it does.
    pub fn spawn(
        database: &str,
        pass: &'static str,
        ticks: Vec<Tick>,
        stop: CancellationToken,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> Self {
        let task = AbortOnDropHandle::new(tokio::spawn(work));
        Self { database: database.to_owned(), pass, stop, task, ticks }
    }

    /// What the scheduler has to call for it. The second call returns nothing.
    pub fn take_ticks(&mut self) -> Vec<Tick> {
        std::mem::take(&mut self.ticks)
    }

    /// Cancels what is in progress, and waits until it has ended or rolled back.
    pub async fn finish(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            let (database, pass) = (self.database, self.pass);
            tracing::error!(database, pass, %error, "a worker ended early: this is a defect of pgmedic");
        }
    }
}

/// Awaits `work`; none when it panicked. The worker goes on: a pass that panics is a failed pass.
pub async fn catch_panic<T>(work: impl Future<Output = T>) -> Option<T> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}
