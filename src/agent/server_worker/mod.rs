//! The worker over one server: asks for its databases at each tick, and runs the workers of each.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | when the server is asked; what is made of the answer |
//! | `members.rs` | the workers of its databases, which come and go |
//! | `tick_groups.rs` | one schedule of the server's for the session stores of all its databases |

mod members;
mod tick_groups;

use super::backoff::{Backoff, schedule_jitter};
use super::change_log::ChangeLog;
use super::context::AgentContext;
use super::leadership::Leadership;
use super::scheduler::cron_intervals::intervals;
use super::sequence_worker::{Fleet, FleetLead, LeadAnswer, Triggers};
use super::worker::{Tick, Worker, catch_panic};
use crate::config::{ConfigError, Server, SessionStoreConfig, Settings};
use crate::db::Holder;
use crate::metrics::SEQUENCES;
use crate::servers::{FoundDatabase, covered, same_server};
use members::Members;
use pgmedic_core::{Reason, ReasonKind};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tick_groups::TickGroups;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;

/// Starts the worker, which asks the server at once.
pub fn start(context: &AgentContext, settings: &Arc<Settings>, index: usize, lead: FleetLead) -> Worker {
    let server = settings.servers[index].clone();
    let schedule = &settings.sequences.schedule;
    let jitter = schedule_jitter(intervals(schedule, crate::clock::now().into()).shortest);
    let (due, stop) = (Arc::new(Notify::new()), CancellationToken::new());
    let handler = {
        let due = Arc::clone(&due);
        Box::new(move || due.notify_one())
    };
    let stores = settings.sessions.iter().filter(|store| may_have(&server, store));
    let groups = TickGroups::new(stores.map(|store| store.schedule.clone()));
    let mut ticks = vec![Tick { schedule: schedule.clone(), handler }];
    ticks.extend(groups.ticks());
    let FleetLead { place, home } = lead;
    let losses = place.0.losses();
    let fleet = Arc::new(Fleet::new(place, settings.sequences.full_pass_every));
    let worker = ServerWorker {
        members: Members::new(context, settings, &server, &fleet, groups),
        settings: Arc::clone(settings),
        index,
        name: server.name.clone(),
        server,
        fleet,
        home,
        losses,
        lease: None,
        leadership: Leadership::Unknown,
        surveys: 0,
        logged: ChangeLog::default(),
        unreadable: BTreeSet::new(),
        due,
        stop: stop.clone(),
    };
    let name = worker.name.clone();
    Worker::spawn(&name, SEQUENCES, ticks, stop, worker.run(jitter))
}

/// Whether a database of the server may have the session store.
fn may_have(server: &Server, store: &SessionStoreConfig) -> bool {
    store
        .database
        .as_deref()
        .is_none_or(|only| only == server.name || only.split_once('/').is_some_and(|(prefix, _)| prefix == server.name))
}

struct ServerWorker {
    settings: Arc<Settings>,
    /// Its place in the configuration.
    index: usize,
    name: String,
    server: Server,
    fleet: Arc<Fleet>,
    /// What starts a cycle in the database that the connection string names.
    home: Arc<Triggers>,
    members: Members,
    /// The number of the last lease that was lost.
    losses: watch::Receiver<u64>,
    lease: Option<u64>,
    leadership: Leadership,
    surveys: u32,
    logged: ChangeLog<()>,
    /// Databases whose names are not UTF-8, each warned about.
    unreadable: BTreeSet<u32>,
    due: Arc<Notify>,
    stop: CancellationToken,
}

impl ServerWorker {
    async fn run(mut self, jitter: Duration) {
        let mut backoff = Backoff::default();
        let mut again = Some(Instant::now());
        let stop = self.stop.clone();
        loop {
            let (lease, losses) = (self.lease, &mut self.losses);
            let lost = async {
                match lease {
                    Some(lease) if losses.wait_for(|last| *last >= lease).await.is_ok() => {}
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.due.notified() => {
                    if stop.run_until_cancelled(sleep(jitter)).await.is_none() {
                        break;
                    }
                }
                () = lost => {
                    self.lease = None;
                    // Without a pause, a server that ends each session would be asked without end.
                    again = Some(Instant::now() + backoff.next_delay());
                    continue;
                }
                () = sleep_until_some(again) => {}
            }
            again = match stop.run_until_cancelled(catch_panic(self.cycle())).await {
                None => break,
                Some(Some(Ok(()))) => {
                    backoff.reset();
                    None
                }
                Some(Some(Err(reason))) => {
                    self.failed(&reason);
                    // What the configuration says wrongly stays wrong until the next tick at least.
                    (reason.kind != ReasonKind::Configuration).then(|| Instant::now() + backoff.next_delay())
                }
                Some(None) => {
                    self.failed(&Reason::new(ReasonKind::Internal, "asking it panicked: this is a defect of pgmedic"));
                    None
                }
            };
        }
        self.members.finish().await;
        self.fleet.lead.release().await;
    }

    /// Asks the server, and lets the workers of its databases know.
    async fn cycle(&mut self) -> Result<(), Reason> {
        // A standby only follows which databases there are.
        let wanted = self.members.is_empty() || self.surveys.is_multiple_of(self.settings.sequences.full_pass_every);
        let timeouts = self.settings.sequences.bounds();
        let (answer, found) = self.fleet.lead.survey(&self.server, wanted, timeouts, &self.stop).await?;
        self.surveys = self.surveys.wrapping_add(1);
        let mut found = found.as_deref().map(|found| self.covered(found)).transpose()?;
        if self.surveys == 1 && found.as_ref().is_some_and(Vec::is_empty) {
            tracing::warn!(server = self.name, "--database names no database of {}", self.name);
        }
        if let Some(found) = &mut found {
            self.leave_out_unreadable(found);
        }
        if self.logged.remove(&()) {
            tracing::info!(server = self.name, "server {} is back", self.name);
        }
        let databases = found.as_ref().map_or_else(|| self.members.len(), Vec::len);
        self.publish_leadership(&answer, databases);
        self.fleet.surveyed(answer, found.as_deref());
        if let Some(found) = found {
            self.members.follow(&found, &self.home).await;
        }
        self.members.tick();
        Ok(())
    }

    fn covered<'a>(&self, found: &'a [FoundDatabase]) -> Result<Vec<&'a FoundDatabase>, ConfigError> {
        let before = self.settings.servers.iter().take(self.index);
        if let Some(other) = before.into_iter().find(|other| same_server(&self.server, other)) {
            return Err(ConfigError::SameServer { one: other.name.clone(), other: self.name.clone() });
        }
        covered(&self.server, found)
    }

    /// A database whose name is not UTF-8 cannot be entered. One warning says so.
    fn leave_out_unreadable(&mut self, found: &mut Vec<&FoundDatabase>) {
        for (oid, reason) in found.iter().filter_map(|database| Some((database.oid, database.unreadable()?))) {
            if self.unreadable.insert(oid) {
                tracing::warn!(server = self.name, "a database of {} is not monitored: {reason}", self.name);
            }
        }
        found.retain(|database| database.is_utf8);
    }

    fn publish_leadership(&mut self, answer: &LeadAnswer, databases: usize) {
        self.lease = answer.lease;
        let before = std::mem::replace(&mut self.leadership, answer.leadership);
        if let (Some(says), true) = (answer.leadership.says(), before != answer.leadership) {
            let server = &self.name;
            let holder = answer.other.as_ref();
            let leader = holder.map_or_else(String::new, |Holder { role, application, pid, .. }| {
                format!(": role {role:?} leads (application {application:?}, process {pid})")
            });
            tracing::info!(server, "this agent {says} on the {databases} databases of {server}{leader}");
        }
    }

    /// The server cannot be monitored, and none of its databases.
    fn failed(&mut self, reason: &Reason) {
        if self.logged.add((), format!("{:?}", reason.kind)) {
            tracing::error!(server = self.name, "server {} cannot be monitored: {reason}", self.name);
        }
        self.fleet.failed(reason.clone());
        self.lease = None;
        if self.members.is_empty() {
            self.members.stand_in(reason);
        }
        self.members.tick();
    }
}

async fn sleep_until_some(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
