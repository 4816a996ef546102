//! What a pass found and did. The passes fill these types; the command line, the page and the metrics print and count them.
//!
//! The JSON form is a contract (`schema` 2): `docs/report.md` describes every field.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs`, `sequence.rs`, `repair.rs`, `evidence.rs`, `sessions.rs` | the report's types, which serialize to the JSON form |
//! | `status.rs` | verdict and outcome as one word; when a sequence is running out |
//! | `level.rs` | how urgent a finding is: fails now, not known, fails soon, to be decided, healthy |
//! | `table/`, `session_lines.rs`, `wrap.rs` | the table form |
//! | `nagios.rs` | one line with performance data, for Nagios |
//! | `label.rs` | what a database is called |
//! | `escape.rs` | names from a database, made safe to print |
//! | `exit.rs` | the exit code that a report means |

mod escape;
mod evidence;
mod exit;
mod label;
mod level;
mod nagios;
mod repair;
mod sequence;
mod session_lines;
mod sessions;
mod status;
mod table;
mod wrap;

pub use escape::escape_control;
pub use evidence::{Evidence, EvidenceSource, EvidenceStatement};
pub use exit::ExitCode;
pub use label::DatabaseLabel;
pub use level::Level;
pub use nagios::{NagiosState, render as render_nagios, render_error as render_nagios_error};
pub use repair::{Outcome, RepairReport};
pub use sequence::{Cause, FarIds, SequenceReport, Verdict};
pub use sessions::SessionReport;
pub use status::{Status, WARN_USED_RATIO, is_running_out};
pub use table::{TableOptions, render as render_table};

use crate::build_info;
use pgmedic_core::Reason;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Version of the JSON form; it changes when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 2;

/// Everything one run looked at.
#[derive(Debug, Serialize)]
pub struct Report {
    schema: u32,
    version: &'static str,
    pub dry_run: bool,
    pub databases: Vec<DatabaseReport>,
    pub summary: Summary,
}

/// One pass over one database.
#[derive(Debug, Clone, Default, Serialize)]
pub struct DatabaseReport {
    #[serde(flatten)]
    pub name: DatabaseLabel,
    /// As the server reports it, such as `15.18`; none when it was never reached.
    pub server_version: Option<String>,
    /// Why the pass could not be completed.
    pub error: Option<Reason>,
    /// Why no sequence was looked at, though all of them were to be.
    pub no_sequence: Option<Reason>,
    pub duration_seconds: f64,
    /// Shared with the agent's pass state, which may hold thousands.
    pub sequences: Vec<Arc<SequenceReport>>,
    /// How many more sequences there are, which feed nothing: the first thousand of these are listed.
    pub unlisted: usize,
    /// The session stores that were swept.
    pub sessions: Vec<SessionReport>,
}

/// Counts over all databases.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub sequences: u64,
    pub in_sync: u64,
    pub behind: u64,
    pub repaired: u64,
    pub held: u64,
    /// The held ones by guard, with those that a guard keeps from going further.
    pub held_by: BTreeMap<&'static str, u64>,
    pub failed: u64,
    pub exhausted: u64,
    pub unreadable: u64,
    pub unsupported: u64,
    pub unlinked: u64,
    /// Sequences of any verdict but `exhausted` that have used `sequences.warn_used_ratio` of their range.
    pub running_out: u64,
    pub sessions_expired: u64,
}

impl Report {
    pub fn new(dry_run: bool, databases: Vec<DatabaseReport>) -> Self {
        let summary = Summary::of(&databases);
        Self { schema: SCHEMA, version: build_info::VERSION, dry_run, databases, summary }
    }
}

impl Summary {
    /// Counts the findings of `databases`.
    pub fn of(databases: &[DatabaseReport]) -> Self {
        let mut summary = Self::default();
        for sequence in databases.iter().flat_map(|database| &database.sequences) {
            summary.sequences += 1;
            summary.running_out += u64::from(sequence.running_out);
            *match sequence.verdict {
                Verdict::InSync => &mut summary.in_sync,
                Verdict::Behind => &mut summary.behind,
                Verdict::Exhausted => &mut summary.exhausted,
                Verdict::Unreadable => &mut summary.unreadable,
                Verdict::Unsupported => &mut summary.unsupported,
                Verdict::Unlinked => &mut summary.unlinked,
            } += 1;
            match sequence.outcome() {
                Some(Outcome::Repaired) => summary.repaired += 1,
                Some(Outcome::Held) => summary.held += 1,
                Some(Outcome::Failed) => summary.failed += 1,
                Some(Outcome::Skipped) | None => {}
            }
            if let Some(guard) = sequence.held_by() {
                *summary.held_by.entry(guard.word()).or_default() += 1;
            }
        }
        let unlisted: usize = databases.iter().map(|database| database.unlisted).sum();
        summary.sequences += unlisted as u64;
        summary.unlinked += unlisted as u64;
        summary.sessions_expired =
            databases.iter().flat_map(|database| &database.sessions).map(|store| store.expired).sum();
        summary
    }
}

impl DatabaseReport {
    /// The `[[sequences.rules]]` entries that apply to a sequence, by their patterns.
    pub fn applied_rules(&self) -> BTreeSet<&str> {
        self.sequences.iter().filter_map(|sequence| sequence.rule.as_deref()).collect()
    }

    /// Whether no sequence was found where one was to be looked at: the database is there for its session stores otherwise.
    pub fn looked_at_nothing(&self) -> bool {
        self.no_sequence.is_some() && self.sessions.is_empty()
    }
}
