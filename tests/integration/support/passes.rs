//! Passes within the test's own process, between which nothing else happens.

use super::Database;
use pgmedic::config::{Environment, Settings};
use pgmedic::pass_options::PassOptions;
use pgmedic::progress::Progress;
use pgmedic::report::SequenceReport;
use pgmedic::sequences::{SequencePassState, pass};
use std::sync::Arc;

/// Passes of one agent, which never reads everything by its schedule, and repairs nothing.
pub struct Passes {
    settings: Settings,
    state: SequencePassState,
}

impl Passes {
    pub fn over(database: &Database) -> Self {
        let settings = "[sequences]\nrepair = false\nfull_pass_every = 1000000\nlock_timeout = \"10s\"\n";
        let config = database.config(settings);
        let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
        Self { settings, state: SequencePassState::persistent() }
    }

    /// Makes a pass, and returns the finding of the first sequence.
    pub async fn next(&mut self) -> Arc<SequenceReport> {
        let (database, options, progress) = (&self.settings.databases[0], PassOptions::default(), Progress::default());
        let report = pass(database, &self.settings.sequences, &options, &mut self.state, &progress).await;
        assert_eq!(report.error, None);
        Arc::clone(&report.sequences[0])
    }
}
