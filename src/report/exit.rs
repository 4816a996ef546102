//! The exit code that a report means.

use super::{DatabaseReport, Outcome, Report};

/// Exit codes of a one-shot run. 2, bad usage or configuration, is decided before there is a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExitCode {
    /// All is well, or was repaired.
    Success = 0,
    /// The work could not be completed: a database out of reach, a repair or a sweep that failed.
    Incomplete = 1,
    /// Problems remain: drift seen but not repaired, held, exhausted or nearly so, unreadable; no sequence; a sweep that did not finish.
    ProblemsRemain = 3,
}

impl ExitCode {
    /// The worst of all findings: incomplete work outweighs problems that remain.
    pub fn of(report: &Report) -> Self {
        let mut sequences = report.databases.iter().flat_map(|database| &database.sequences);
        let mut stores = report.databases.iter().flat_map(|database| &database.sessions);
        let unreached = report.databases.iter().any(|database| database.error.is_some());
        let failed = sequences.clone().any(|sequence| sequence.outcome() == Some(Outcome::Failed))
            || stores.clone().any(|store| store.error.is_some());
        if unreached || failed {
            Self::Incomplete
        } else if report.databases.iter().any(DatabaseReport::looked_at_nothing)
            || sequences.any(|sequence| sequence.needs_attention() || sequence.nearly_used_up)
            || stores.any(|store| store.held.is_some() || store.is_unfinished())
        {
            Self::ProblemsRemain
        } else {
            Self::Success
        }
    }
}

impl From<ExitCode> for std::process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
