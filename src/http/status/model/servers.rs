//! The databases by server: those of a server that is configured as a whole stand together.

use super::facts::DatabaseFacts;
use crate::db::budget::ServerConnections;
use crate::http::status::page_level::PageLevel;
use crate::state::NamedServer;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// The databases of one server, or those that are configured one by one.
#[derive(Debug)]
pub struct ServerGroup<'a> {
    /// The configured name of the server.
    pub name: Option<&'a str>,
    /// By name; at least one.
    pub databases: Vec<&'a DatabaseFacts<'a>>,
    /// None where it was not reached yet.
    pub connections: Option<&'a ServerConnections>,
}

/// The servers in the order of their names, and last the databases that are configured one by one.
pub fn groups<'a>(facts: &'a [DatabaseFacts<'a>], servers: &'a [NamedServer]) -> Vec<ServerGroup<'a>> {
    let mut groups: BTreeMap<(bool, Option<&str>), Vec<&DatabaseFacts<'_>>> = BTreeMap::new();
    for database in facts {
        groups.entry((database.server.is_none(), database.server)).or_default().push(database);
    }
    let of = |((_, name), databases): ((bool, Option<&'a str>), _)| {
        let server = servers.iter().find(|server| Some(server.name.as_str()) == name);
        ServerGroup { name, databases, connections: server.and_then(|server| server.connections.as_ref()) }
    };
    groups.into_iter().map(of).collect()
}

impl<'a> ServerGroup<'a> {
    /// Of its worst database.
    pub fn level(&self) -> PageLevel {
        self.databases.iter().map(|database| database.level).min().unwrap_or(PageLevel::Starting)
    }

    /// The databases at a level.
    pub fn at(&self, level: PageLevel) -> Vec<&'a DatabaseFacts<'a>> {
        self.databases.iter().copied().filter(|database| database.level == level).collect()
    }

    /// The databases that need attention, the worst first.
    pub fn attention(&self) -> Vec<&'a DatabaseFacts<'a>> {
        let mut rows: Vec<_> = self.databases.iter().copied().filter(|database| !database.is_quiet()).collect();
        rows.sort_by_key(|database| (database.level, Reverse(database.counts.failing)));
        rows
    }

    /// As the server calls it, such as `17.5`.
    pub fn version(&self) -> Option<&'a str> {
        let reports = self.databases.iter().filter_map(|database| database.state.report.as_ref());
        reports.filter_map(|report| report.server_version.as_deref()).next()
    }

    /// Whether it is a replica; none where that is not known.
    pub fn is_replica(&self) -> Option<bool> {
        let known = self.databases.iter().find(|database| database.state.replica || database.state.report.is_some());
        known.map(|database| database.state.replica)
    }

    /// When the one of its databases was checked whose state is known for the longest time, in seconds since 1970; none
    /// where no state is known.
    pub fn least_recent_check(&self) -> Option<f64> {
        let known = self.databases.iter().filter(|database| database.trouble.is_none());
        known.filter_map(|database| database.state.last_success).reduce(f64::min)
    }
}

#[cfg(test)]
#[path = "servers_tests.rs"]
mod tests;
