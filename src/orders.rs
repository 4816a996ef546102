//! What a run asks of its passes.

use tokio_util::sync::CancellationToken;

/// What a run asks of its passes.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Look only.
    pub dry_run: bool,
    /// Every sequence is to leave this many values unused beyond its frontier, also one that is in sync.
    pub headroom: u32,
    /// Sequences and session stores, by their reported names: what is held of them is let through this once.
    pub approved: Vec<String>,
    /// Cancelled when the pass is to end at once, with nothing left running.
    pub stop: CancellationToken,
}

impl Orders {
    /// Whether what is held of the session store of this name is let through.
    pub fn approves_store(&self, name: &str) -> bool {
        self.approved.iter().any(|approved| approved == name)
    }
}
