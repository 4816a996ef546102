//! What the worker keeps from one cycle to the next.

use super::notify::NotifyListener;
use crate::agent::publisher::Publisher;
use crate::agent::repair_log::RepairLogWriter;
use crate::sequences::{Invalidation, SequencePassState};
use crate::servers::Baseline;
use tokio::sync::watch;

/// Of a discovered database with no more sequences than that, nothing is kept of the catalog while it is idle: a server may
/// have a thousand of them, and to read one as a whole takes a moment.
const SMALL: usize = 200;

/// What is kept from one cycle to the next.
#[derive(Debug)]
pub struct SequenceWorkerState {
    /// The number of the last lease that was lost.
    pub(super) losses: watch::Receiver<u64>,
    /// The number of the lease that this agent holds.
    pub(super) lease: Option<u64>,
    pub(super) listener: NotifyListener,
    pub(super) pass_state: SequencePassState,
    /// What the server had counted in a discovered database before its last visit, if that left nothing to be looked at again.
    pub(super) visited: Option<Baseline>,
    pub(super) publisher: Publisher,
    pub(super) repair_log: RepairLogWriter,
}

impl SequenceWorkerState {
    pub fn new(publisher: Publisher, losses: watch::Receiver<u64>) -> Self {
        Self {
            losses,
            lease: None,
            listener: NotifyListener::default(),
            pass_state: SequencePassState::persistent(),
            visited: None,
            publisher,
            repair_log: RepairLogWriter::default(),
        }
    }

    /// Waits until the lease is lost. Dropping this does no harm.
    pub async fn lease_lost(&mut self) {
        lease_lost(&mut self.losses, self.lease).await;
    }

    /// A cycle panicked.
    pub fn panicked(&mut self) {
        self.publisher.panicked();
        self.invalidate_all();
    }

    /// Nothing was done in the database, or nothing since it was read as a whole.
    pub(super) fn rest(&mut self) {
        if self.pass_state.is_small(SMALL) {
            self.pass_state.invalidate(&Invalidation::All);
        }
    }

    pub(super) fn invalidate_all(&mut self) {
        self.pass_state.invalidate(&Invalidation::All);
        self.visited = None;
    }
}

/// Waits until this lease is lost; for ever where there is none.
pub(super) async fn lease_lost(losses: &mut watch::Receiver<u64>, lease: Option<u64>) {
    let lost = match lease {
        Some(lease) => losses.wait_for(|last| *last >= lease).await.is_ok(),
        None => false,
    };
    if !lost {
        std::future::pending::<()>().await;
    }
}
