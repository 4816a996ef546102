//! What a sweep found and did in one session store.

use pgmedic_core::{Reason, ReasonKind};
use serde::Serialize;

/// One session store. Nothing in it says who is logged in.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SessionReport {
    /// The configured name.
    pub name: String,
    /// Schema-qualified, quoted where SQL would quote it.
    pub table: String,
    /// Tables of which foreign keys delete rows with a session (`ON DELETE CASCADE`), quoted where SQL would quote them.
    pub takes_along: Vec<String>,
    /// Sessions that were over, and were ended by this sweep.
    pub expired: u64,
    /// Sessions that were live, and were ended because their user has newer ones.
    pub superseded: u64,
    /// In a dry run: how many sessions a sweep would end, or would if it were not held.
    pub would_end: Option<u64>,
    /// Sessions that are left, live and stale; none when they were not counted, or were too many to be.
    pub remaining: Option<u64>,
    /// Of those that are left: not over.
    pub live: Option<u64>,
    /// Of those that are left: over, and to be swept.
    pub stale: Option<u64>,
    /// Which guard holds the sweep, or a part of it, and what lets it through.
    pub held: Option<Reason>,
    /// Why the sweep could not be completed.
    pub error: Option<Reason>,
    /// What works, and would work better after the fix; or what the sweep left undone.
    pub warnings: Vec<Reason>,
    pub duration_seconds: f64,
    /// The operator let through what would have been held.
    #[serde(skip)]
    pub approved: bool,
}

impl SessionReport {
    /// Whether sessions that are over are left, because the sweep did not finish in its time.
    pub fn is_unfinished(&self) -> bool {
        self.warnings.iter().any(|warning| warning.kind == ReasonKind::Unfinished)
    }

    /// Makes the commands that approve its sweep complete, where several databases are configured.
    pub fn name_database(&mut self, database: &str) {
        let reasons = self.error.iter_mut().chain(&mut self.held).chain(&mut self.warnings);
        reasons.for_each(|reason| reason.name_database(database));
    }

    /// Why a person has to act: the sweep failed or is held. The error comes first.
    pub fn attention(&self) -> impl Iterator<Item = &Reason> {
        self.error.iter().chain(&self.held)
    }
}
