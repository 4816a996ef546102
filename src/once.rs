//! The one-shot run: the same passes that the agent calls, each database once, then a report.

use crate::config::{Database, SessionStore, Settings};
use crate::report::{DatabaseReport, Progress, Report};
use crate::sequences::{Memory, Orders, pass};
use crate::sessions;
use futures_util::StreamExt;
use futures_util::stream;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use std::time::Duration;

/// Databases that are looked at side by side, so that one that does not answer holds up few.
const AT_ONCE: usize = 4;

/// A run shorter than this shows no progress: it would only flicker.
const LONG: Duration = Duration::from_millis(700);

/// Looks at the databases and mends them as `orders` say; the report has them in the configured order.
pub async fn run(settings: &Settings, orders: &Orders, progress: &Progress) -> Report {
    let passes = settings.databases.iter().map(async |database| both(database, settings, orders, progress).await);
    let reports = stream::iter(passes).buffered(AT_ONCE).collect().await;
    Report::new(orders.dry_run, reports)
}

/// The sequences, and then the session stores.
async fn both(database: &Database, settings: &Settings, orders: &Orders, progress: &Progress) -> DatabaseReport {
    let mut report = pass(database, &settings.sequences, orders, &mut Memory::default(), progress).await;
    let stores: Vec<&SessionStore> = SessionStore::of(&settings.sessions, &database.name).collect();
    report.sessions = match (&report.server_version, &report.error) {
        // It would only be waited for once more.
        (None, Some(error)) => sessions::not_reached(&stores, error),
        _ => {
            let sequences = &settings.sequences;
            let bounds = sequences.bounds();
            sessions::pass(database, &stores, bounds, orders, &mut sessions::Memory::default()).await
        }
    };
    report
}

/// Awaits `work`, with a bar on stderr while it runs long and stderr is a terminal.
pub async fn with_bar<T>(work: impl Future<Output = T>, progress: &Progress) -> T {
    let watch = async {
        tokio::time::sleep(LONG).await;
        // Stays silent by itself where stderr is no terminal.
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} sequences, {eta} left") {
            bar.set_style(style);
        }
        let clear = Clear(bar);
        loop {
            let (done, total) = progress.state();
            clear.0.set_length(total);
            clear.0.set_position(done);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::select! {
        result = work => result,
        never = watch => never,
    }
}

/// Takes the bar away whenever the work ends.
struct Clear(ProgressBar);

impl Drop for Clear {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
