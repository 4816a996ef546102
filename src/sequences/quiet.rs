//! A pass over a database in which nothing has changed: the server's counters say so, asked for on a connection that stands
//! anyway. It opens no connection.

use super::activity::{StatsSnapshot, changes_sql};
use super::findings::missing_sequence;
use super::pass_state::SequencePassState;
use crate::config::{Database, Sequences};
use crate::pass_options::PassOptions;
use crate::report::DatabaseReport;
use pgmedic_core::{QueryError, Timeouts, settings_select};
use sqlx::postgres::PgRow;
use std::sync::Arc;
use std::time::Duration;

/// The connection keeps a lease, which must not wait long.
const TIMEOUTS: Timeouts = Timeouts { lock: Duration::from_millis(100), statement: Duration::from_secs(1) };

/// So long an answer on the lease's connection is taken for what a new connection would find: it may stand on a server that is
/// the primary no more, and a role that could not log in again keeps it.
const TRUSTED_FOR: Duration = Duration::from_secs(10);

/// For more sequences than these the answer might take longer than the lease can wait, from afar.
const MOST_SEQUENCES: usize = 10_000;

impl SequencePassState {
    /// What is to be asked before the next pass, as one message whose rows [`Self::answered`] takes; none where the pass has to
    /// connect all the same.
    pub fn question(&mut self) -> Option<String> {
        if !self.standing.may_ask() {
            return None;
        }
        let known = self.discovered().filter(|found| found.shared.is_empty())?;
        let (connected, _) = self.standing.connected.as_ref()?;
        let few = (1..=MOST_SEQUENCES).contains(&known.sequences.len());
        if !few || connected.elapsed() >= TRUSTED_FOR {
            return None;
        }
        // A message is one transaction, also without BEGIN.
        let settings = settings_select(TIMEOUTS, &[], &[]);
        Some(format!("/* pgmedic:changes */ {settings}; {}", changes_sql(&known.sequences)))
    }

    /// Takes the rows that [`Self::question`] was answered with.
    ///
    /// # Errors
    ///
    /// When they are not such.
    pub fn answered(&mut self, rows: &[PgRow]) -> Result<(), QueryError> {
        self.standing.answered(StatsSnapshot::read(rows)?);
        Ok(())
    }

    /// It was not answered; `lost` says that the connection was lost over it.
    pub fn not_answered(&mut self, lost: bool) {
        self.standing.not_answered(lost);
    }
}

/// Fills the report, where `counters` say that the previous one is still true.
pub fn nothing_changed(
    database: &Database,
    settings: &Sequences,
    options: &PassOptions,
    counters: &StatsSnapshot,
    state: &mut SequencePassState,
    report: &mut DatabaseReport,
) -> bool {
    let Some(findings) = state.unchanged(counters, settings.full_pass_every).filter(|_| options.only.is_none()) else {
        return false;
    };
    let missing = state.discovered().map_or(&[][..], |found| &found.missing);
    report.sequences = missing.iter().map(|feed| Arc::new(missing_sequence(feed, &database.name))).collect();
    report.sequences.extend(findings);
    report.unlisted = state.discovered().map_or(0, |found| found.unlisted);
    report.server_version = state.standing.connected.as_ref().map(|(_, version)| version.clone());
    true
}
