//! The servers of the present configuration, and the connections to them.

use crate::db::budget::{ConnectionBudget, ServerConnections};
use std::sync::Arc;

/// A server that is configured as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedServer {
    pub name: String,
    /// None while it was not reached.
    pub connections: Option<ServerConnections>,
}

/// What counts the connections, and the addresses of each server that is configured as a whole.
#[derive(Debug, Default)]
pub struct ConfiguredServers {
    pub budget: Arc<ConnectionBudget>,
    pub addresses: Vec<(String, Vec<String>)>,
}

impl ConfiguredServers {
    pub fn named(&self) -> Vec<NamedServer> {
        let of = |(name, addresses): &(String, Vec<String>)| NamedServer {
            name: name.clone(),
            connections: self.budget.server_at(addresses),
        };
        self.addresses.iter().map(of).collect()
    }
}
