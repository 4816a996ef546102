//! What a sweep found and did in one session store.

use serde::Serialize;

/// One session store. Nothing in it says who is logged in.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct SessionReport {
    /// The configured name.
    pub name: String,
    /// Schema-qualified, quoted where SQL would quote it.
    pub table: String,
    /// Sessions that were over, and were ended by this sweep.
    pub expired: u64,
    /// Sessions that were live, and were ended because their user has newer ones.
    pub superseded: u64,
    /// Sessions that are left, live and stale; none when they were not counted, or were too many to be.
    pub remaining: Option<u64>,
    /// Of those that are left: not over.
    pub live: Option<u64>,
    /// Of those that are left: over, and to be swept.
    pub stale: Option<u64>,
    /// Which guard said no, and what lets the sweep through.
    pub held: Option<String>,
    /// Why the sweep could not be completed.
    pub error: Option<String>,
    /// What works, and would work better otherwise; with the statement that fixes it.
    pub warnings: Vec<String>,
    pub duration_seconds: f64,
    /// The operator let through what would have been held.
    #[serde(skip)]
    pub approved: bool,
}
