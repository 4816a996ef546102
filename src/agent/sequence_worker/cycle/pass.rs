//! Makes the pass of a cycle, during which the lease may be lost, and another server be promoted.

use super::SequenceWorkerContext;
use crate::agent::leadership::Leadership;
use crate::agent::sequence_worker::worker_state::{SequenceWorkerState, lease_lost};
use crate::db::{WhichServer, which_server};
use crate::progress::Progress;
use crate::report::DatabaseReport;
use crate::sequences::{PassOptions, pass};
use pgmedic_core::{Reason, ReasonKind};
use std::pin::{Pin, pin};
use std::time::Duration;
use tokio::time::sleep;

/// Each statement has timeouts; a pass that takes this long all the same is cancelled.
const MAX_PASS_DURATION: Duration = Duration::from_secs(60 * 60);

impl SequenceWorkerContext {
    /// Makes the pass. Where the lease is lost meanwhile, that is published at once. Where another server is the primary then, the
    /// pass is given up: the one before may answer no more, and its statements would be waited for until they time out.
    pub(super) async fn pass(&self, state: &mut SequenceWorkerState, leadership: Leadership) -> DatabaseReport {
        let name = self.database.name.as_str();
        let SequenceWorkerState { losses, lease, pass_state, publisher, .. } = state;
        publisher.leadership(leadership);
        self.send_leadership(leadership);
        let options = PassOptions {
            dry_run: self.dry_run,
            session_tables: self.session_tables.clone(),
            cancel: self.stop.child_token(),
            ..PassOptions::default()
        };
        let progress = Progress::default();
        let reached = pass_state.primary().map(str::to_owned);
        let mut pass = pin!(pass(&self.database, &self.settings.sequences, &options, pass_state, &progress));
        let mut limit = pin!(sleep(MAX_PASS_DURATION));
        let mut moved: Pin<Box<dyn Future<Output = bool> + Send>> = Box::pin(std::future::pending());
        let mut given_up = false;
        loop {
            tokio::select! {
                mut report = &mut pass => {
                    if given_up && report.error.is_some() {
                        let text = "the server did not answer any more, and another one is the primary now";
                        report.error = Some(Reason::new(ReasonKind::NoResponse, text));
                    }
                    return report;
                }
                () = lease_lost(losses, *lease) => {
                    *lease = None;
                    self.leadership_unknown(publisher);
                    // The worker of a whole server asks for its lease itself.
                    if let Some(reached) = &reached && self.lead.tries_again() {
                        moved = Box::pin(self.is_elsewhere(reached));
                    }
                }
                elsewhere = &mut moved => {
                    moved = Box::pin(std::future::pending());
                    // Otherwise the pass goes on: it is safe beside that of another leader.
                    if elsewhere {
                        given_up = true;
                        options.cancel.cancel();
                    }
                }
                () = &mut limit, if !options.cancel.is_cancelled() => {
                    let limit = humantime::format_duration(MAX_PASS_DURATION);
                    tracing::error!(database = name, "a pass over {name} is cancelled: it took longer than {limit}");
                    options.cancel.cancel();
                }
            }
        }
    }

    /// Whether the connection string leads to another primary than this one.
    async fn is_elsewhere(&self, reached: &str) -> bool {
        let Ok(target) = self.database.connect_options() else { return false };
        let elsewhere = |server: WhichServer| !server.is_replica && !server.name.is_empty() && server.name != reached;
        which_server(&target).await.is_ok_and(elsewhere)
    }
}
