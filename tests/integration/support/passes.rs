//! Passes within the test's own process, between which nothing else happens.

use super::Database;
use pgmedic::config::{Environment, Settings};
use pgmedic::pass_options::PassOptions;
use pgmedic::progress::Progress;
use pgmedic::report::{DatabaseReport, SequenceReport};
use pgmedic::sequences::{SequencePassState, pass};
use pgmedic_core::ReasonKind;
use std::sync::Arc;

/// Passes of one agent, which never reads everything by its schedule.
pub struct Passes {
    settings: Settings,
    state: SequencePassState,
}

impl Passes {
    /// Passes that repair nothing.
    pub fn over(database: &Database) -> Self {
        Self::with(database, "repair = false\nlock_timeout = \"10s\"")
    }

    /// Passes that repair.
    pub fn repairing(database: &Database) -> Self {
        Self::with(database, "repair = true\nlock_timeout = \"10s\"")
    }

    /// Passes with these keys of `[sequences]`.
    pub fn with(database: &Database, keys: &str) -> Self {
        let bounds = "full_pass_every = 1000000\nstatement_timeout = \"100s\"";
        let config = database.config(&format!("[sequences]\n{keys}\n{bounds}\n"));
        let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
        Self { settings, state: SequencePassState::persistent() }
    }

    /// Makes a pass, and returns the finding of the first sequence.
    pub async fn next(&mut self) -> Arc<SequenceReport> {
        let report = self.pass().await;
        assert_eq!(report.error, None);
        Arc::clone(&report.sequences[0])
    }

    /// The same for a pass that loses its connection.
    pub async fn lost(&mut self) -> Arc<SequenceReport> {
        let report = self.pass().await;
        assert_eq!(report.error.map(|reason| reason.kind), Some(ReasonKind::ConnectionLost));
        Arc::clone(&report.sequences[0])
    }

    /// Others have written to the repair log.
    pub fn log_has_grown(&mut self) {
        self.state.log_has_grown();
    }

    async fn pass(&mut self) -> DatabaseReport {
        let (database, options, progress) = (&self.settings.databases[0], PassOptions::default(), Progress::default());
        pass(database, &self.settings.sequences, &options, &mut self.state, &progress).await
    }
}
