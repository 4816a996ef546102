//! Which databases share a lease: those whose connection strings name the same addresses, and those of a `[[servers]]` table
//! with these addresses.

use super::{Member, ServerLead};
use crate::agent::sequence_worker::triggers::Triggers;
use crate::config::{Database, Server, Settings};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::{Mutex, watch};

/// A lease, and the place of a database among those of its server.
type Place = (Arc<ServerLead>, usize);

/// The leases of one configuration, one a server.
#[derive(Debug)]
pub struct Leads {
    /// Of each database, in their order.
    pub databases: Vec<Place>,
    /// Of each server, in their order: the place is that of the database that its connection string names.
    pub servers: Vec<Place>,
}

/// What shares a lease, by its place in the configuration.
#[derive(Debug, Default)]
struct Group {
    databases: Vec<usize>,
    server: Option<usize>,
}

/// `triggers` are those of each database, and then those of the database that each server's connection string names.
pub fn leads(settings: &Settings, triggers: (&[Arc<Triggers>], &[Arc<Triggers>])) -> Leads {
    let mut groups: BTreeMap<String, Group> = BTreeMap::new();
    // What cannot be read now is alone.
    let addresses =
        |database: &Database, alone: String| database.connect_options().map_or(alone, |target| target.addresses());
    for (index, database) in settings.databases.iter().enumerate() {
        groups.entry(addresses(database, format!("\0{index}"))).or_default().databases.push(index);
    }
    for (index, server) in settings.servers.iter().enumerate() {
        groups.entry(addresses(&server.home, format!("\0\0{index}"))).or_default().server = Some(index);
    }
    let (mut databases, mut servers) = (BTreeMap::new(), BTreeMap::new());
    for Group { databases: indices, server } in groups.into_values() {
        let names: Vec<_> = indices.iter().map(|index| &settings.databases[*index].name).collect();
        let configured: Option<&Server> = server.map(|index| &settings.servers[index]);
        let member = |database: &Database, triggers: &Arc<Triggers>| Member {
            database: database.clone(),
            triggers: Arc::clone(triggers),
        };
        // Configured databases come first: there NOTIFY is received.
        let own = indices.iter().map(|index| member(&settings.databases[*index], &triggers.0[*index]));
        let home = server.map(|index| member(&settings.servers[index].home, &triggers.1[index]));
        let lead = Arc::new(ServerLead {
            members: own.chain(home).collect(),
            key: settings.server_leadership_key(&names, configured),
            listen: settings.sequences.listen_notify,
            state: Mutex::default(),
            reached: std::sync::Mutex::default(),
            lost: watch::Sender::default(),
        });
        databases.extend(indices.iter().enumerate().map(|(place, index)| (*index, (Arc::clone(&lead), place))));
        if let Some(index) = server {
            servers.insert(index, (lead, indices.len()));
        }
    }
    Leads { databases: databases.into_values().collect(), servers: servers.into_values().collect() }
}
