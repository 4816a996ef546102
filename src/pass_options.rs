//! The options of a pass.

use pgmedic_core::{TableName, approval_pattern};
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The options of a pass: from the command line, or from the agent.
#[derive(Debug, Clone, Default)]
pub struct PassOptions {
    /// Report only, repair nothing.
    pub dry_run: bool,
    /// Leave at least this many values unused beyond the max id of every sequence, also of one that is in sync.
    pub headroom: u32,
    /// Only these sequences, by schema and name as PostgreSQL stores them; all that the configuration covers where none is
    /// given.
    pub only: Option<Arc<BTreeSet<(String, String)>>>,
    /// The reported names of sequences and session stores whose held repairs and sweeps are allowed in this pass.
    pub approvals: Vec<String>,
    /// The tables of the database's declared session stores: ids of ended sessions must not be handed out again.
    pub session_tables: Vec<TableName>,
    /// Cancelling it ends the pass and its running statements.
    pub cancel: CancellationToken,
}

impl PassOptions {
    /// Whether held sweeps of the session store of this name are allowed.
    pub fn approves_store(&self, name: &str) -> bool {
        self.approvals.iter().any(|approved| approved == name || *approved == approval_pattern(name))
    }
}
