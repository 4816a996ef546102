//! What the page says, as data: pure functions of the agent's state and the time. `view/` renders it.
//!
//! | file | what is in it |
//! |---|---|
//! | `facts.rs` | a database: its level, what it counts |
//! | `servers.rs` | the databases by server |
//! | `headline.rs` | the sentence that says whether inserts work |
//! | `tiles.rs` | four figures of the last 24 hours |
//! | `cards.rs` | what needs attention; `card.rs`, `finding.rs` the sentences of one card, `runbook.rs` its runbook |
//! | `sequences.rs` | the table of sequences: filter, order, page; `row.rs` one row |
//! | `activity.rs` | the events of each hour |
//! | `one_sequence.rs` | the page of one sequence |

pub mod activity;
pub mod card;
pub mod cards;
pub mod facts;
pub mod finding;
pub mod headline;
pub mod one_sequence;
pub mod row;
pub mod runbook;
pub mod sequences;
pub mod servers;
pub mod tiles;

use crate::config::PageLink;
use crate::db::budget::ServerConnections;
use crate::state::{AgentState, DatabaseState, DayCounts, History, NamedServer};
use facts::DatabaseFacts;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The agent's state at one moment.
pub struct Snapshot {
    pub databases: BTreeMap<String, Arc<DatabaseState>>,
    pub history: History,
    pub day: DayCounts,
    /// When the agent started, and the moment itself, in seconds since 1970.
    pub started: f64,
    pub now: f64,
    pub dry_run: bool,
    /// Whether the configuration was accepted when it was last read.
    pub config_accepted: bool,
    /// The servers that were reached, and the connections to them.
    pub servers: Vec<ServerConnections>,
    /// The servers that are configured as a whole.
    pub named_servers: Vec<NamedServer>,
    pub links: Arc<PageLinks>,
}

/// Where the page leads to elsewhere.
#[derive(Debug, Default)]
pub struct PageLinks {
    /// Such as Grafana.
    pub elsewhere: Vec<PageLink>,
    /// The pages of the other agents.
    pub agents: Vec<PageLink>,
}

impl Snapshot {
    pub fn take(state: &AgentState, links: &Arc<PageLinks>, now: f64) -> Self {
        Self {
            databases: state.databases(),
            history: state.history(),
            day: state.day(),
            started: state.started(),
            now,
            dry_run: state.dry_run(),
            config_accepted: state.reload().accepted,
            servers: state.servers(),
            named_servers: state.named_servers(),
            links: Arc::clone(links),
        }
    }

    /// The databases, by name.
    pub fn facts(&self) -> Vec<DatabaseFacts<'_>> {
        self.databases.iter().map(|(name, state)| DatabaseFacts::of(name, state, self.now)).collect()
    }
}

#[cfg(test)]
pub mod test_support;
