//! The workers of a server's databases. Those of a database that is no more end, and a new database gets its own.

use super::tick_groups::TickGroups;
use crate::agent::context::AgentContext;
use crate::agent::leadership::Leadership;
use crate::agent::publisher::Publisher;
use crate::agent::sequence_worker::{self, Fleet, FleetMember, Triggers, WorkerLead};
use crate::agent::session_worker;
use crate::agent::worker::Worker;
use crate::config::{Server, Settings};
use crate::metrics::SEQUENCES;
use crate::report::DatabaseLabel;
use crate::servers::FoundDatabase;
use futures_util::future::join_all;
use pgmedic_core::Reason;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// The workers of all databases of one server.
pub struct Members {
    context: AgentContext,
    settings: Arc<Settings>,
    server: Server,
    fleet: Arc<Fleet>,
    groups: TickGroups,
    /// By OID and name: a database that was renamed is another one.
    running: BTreeMap<(u32, String), Member>,
    /// While no database is known, the one that the connection string names shows why.
    stands_in: bool,
}

struct Member {
    label: DatabaseLabel,
    workers: Vec<Worker>,
    /// Starts a cycle over the sequences.
    tick: Vec<Box<dyn Fn() + Send + Sync>>,
}

impl Members {
    pub fn new(
        context: &AgentContext,
        settings: &Arc<Settings>,
        server: &Server,
        fleet: &Arc<Fleet>,
        groups: TickGroups,
    ) -> Self {
        Self {
            context: context.clone(),
            settings: Arc::clone(settings),
            server: server.clone(),
            fleet: Arc::clone(fleet),
            groups,
            running: BTreeMap::new(),
            stands_in: false,
        }
    }

    pub fn len(&self) -> usize {
        self.running.len()
    }

    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// Starts and ends workers, so that each of these databases has its own and no other one has.
    pub async fn follow(&mut self, found: &[&FoundDatabase], home: &Arc<Triggers>) {
        let names = found.iter().map(|database| self.server.database(&database.name).name.to_string());
        self.context.rules.discovered(&self.server.name, names);
        let is_there =
            |key: &(u32, String)| found.iter().any(|database| database.oid == key.0 && database.name == key.1);
        let gone: Vec<(u32, String)> = self.running.keys().filter(|key| !is_there(key)).cloned().collect();
        for key in gone {
            if let Some(member) = self.running.remove(&key) {
                self.end(key.0, member).await;
            }
        }
        for database in found {
            let key = (database.oid, database.name.clone());
            if !self.running.contains_key(&key) {
                let member = self.start(database, home);
                self.running.insert(key, member);
            }
        }
        if std::mem::take(&mut self.stands_in)
            && !self.running.values().any(|member| member.label == self.server.home.name)
        {
            self.context.forget(&self.server.home.name);
        }
    }

    /// Wakes the workers over sequences.
    pub fn tick(&self) {
        self.running.values().flat_map(|member| &member.tick).for_each(|tick| tick());
    }

    /// No database is known, and why.
    pub fn stand_in(&mut self, reason: &Reason) {
        let publisher = Publisher::new(&self.context, &self.server.home.name, SEQUENCES);
        if !self.stands_in {
            publisher.init_database(sequence_worker::longest_interval(&self.settings));
        }
        self.stands_in = true;
        publisher.server_failure(reason);
    }

    /// Ends all workers.
    pub async fn finish(&mut self) {
        let running = std::mem::take(&mut self.running);
        join_all(running.into_values().flat_map(|member| member.workers).map(Worker::finish)).await;
    }

    fn start(&self, found: &FoundDatabase, home: &Arc<Triggers>) -> Member {
        let database = self.server.database(&found.name);
        let is_home = database.name == self.server.home.name;
        let member = FleetMember { fleet: Arc::clone(&self.fleet), oid: found.oid, is_home };
        let lead = WorkerLead::discovered(member, is_home.then(|| Arc::clone(home)));
        let (sender, leadership) = watch::channel(Leadership::default());
        let mut sequences = sequence_worker::start(&self.context, &self.settings, &database, lead, sender);
        let tick = sequences.take_ticks().into_iter().map(|tick| tick.handler).collect();
        let mut workers = vec![sequences];
        if let Some(mut sessions) = session_worker::start(&self.context, &self.settings, &database, leadership) {
            self.groups.add(found.oid, sessions.take_ticks());
            workers.push(sessions);
        }
        tracing::debug!(database = database.name.as_str(), "found");
        Member { label: database.name, workers, tick }
    }

    async fn end(&self, oid: u32, member: Member) {
        self.groups.remove(oid);
        join_all(member.workers.into_iter().map(Worker::finish)).await;
        self.context.forget(&member.label);
        tracing::info!(database = member.label.as_str(), "{} is no longer there", member.label);
    }
}
