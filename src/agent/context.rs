//! What all workers share: the state, the metrics, and which rules apply.

use super::rule_use::RuleUse;
use crate::config::{SessionStoreConfig, Settings};
use crate::metrics::Metrics;
use crate::report::DatabaseLabel;
use crate::state::{AgentState, Configured};
use std::sync::Arc;

/// What all workers write to, and what metrics and HTTP read.
#[derive(Debug, Clone)]
pub struct AgentContext {
    pub state: Arc<AgentState>,
    pub metrics: Arc<Metrics>,
    pub rules: Arc<RuleUse>,
}

impl AgentContext {
    /// Forgets databases and session stores that are not configured any more. What was discovered on a server that is
    /// configured still stays.
    pub fn retain_configured(&self, settings: &Settings) {
        let known = self.state.databases();
        let on_server = |name: &str| {
            let (server, database) = name.split_once('/')?;
            let server = settings.servers.iter().find(|known| known.name == server)?;
            Some(DatabaseLabel::of_server(&server.name, database))
        };
        let discovered = known.keys().filter_map(|name| on_server(name));
        let labels: Vec<DatabaseLabel> =
            settings.databases.iter().map(|database| database.name.clone()).chain(discovered).collect();
        let stores = |label| {
            SessionStoreConfig::for_database(&settings.sessions, label).map(|store| store.name.as_str()).collect()
        };
        let configured: Configured<'_> = labels.iter().map(|label| (label.as_str(), stores(label))).collect();
        self.state.retain(&configured);
        self.metrics.retain(&configured);
    }

    /// Forgets a database that its server has no more.
    pub fn forget(&self, database: &DatabaseLabel) {
        self.state.forget(database);
        self.metrics.forget(database);
        self.rules.forget(database);
    }
}
