//! What a run asks of its passes.

use tokio_util::sync::CancellationToken;

/// What a run asks of its passes.
#[derive(Debug, Clone, Default)]
pub struct PassOptions {
    /// Look only.
    pub dry_run: bool,
    /// Every sequence is to leave this many values unused beyond its max id, also one that is in sync.
    pub headroom: u32,
    /// Sequences and session stores, by their reported names: what is held of them is let through this once.
    pub approvals: Vec<String>,
    /// Cancelled when the pass is to end at once, with nothing left running.
    pub cancel: CancellationToken,
}

impl PassOptions {
    /// Whether what is held of the session store of this name is let through.
    pub fn approves_store(&self, name: &str) -> bool {
        self.approvals.iter().any(|approved| approved == name)
    }
}
