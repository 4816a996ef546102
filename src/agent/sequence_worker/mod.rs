//! The worker over the sequences of one database: when a cycle runs, and what is kept from one to the next.
//!
//! | file | what is in it |
//! |---|---|
//! | `triggers.rs` | ticks of the schedule and notifications, waiting to start a cycle |
//! | `worker_state.rs` | what is kept from one cycle to the next |
//! | `cycle/` | one cycle: acquire or renew the lease, make the pass, publish the report |
//! | `lead/` | who leads on the databases of one server |
//! | `fleet.rs` | what is known of a whole server, for the workers of its databases |
//! | `membership.rs` | whether a worker asks for the lease, or the worker of its server does |
//! | `listening.rs` | where a worker receives NOTIFY |
//! | `notify.rs` | LISTEN in a database where the lease does not stand, while this agent leads |

mod cycle;
mod fleet;
mod lead;
mod listening;
mod membership;
mod notify;
mod triggers;
mod worker_state;

pub use fleet::{Fleet, FleetMember};
pub use lead::{LeadAnswer, ServerLead};

use super::backoff::{Backoff, schedule_jitter};
use super::context::AgentContext;
use super::leadership::Leadership;
use super::publisher::Publisher;
use super::scheduler::cron_intervals::intervals;
use super::worker::{Tick, Worker, catch_panic};
use crate::config::{Database, SessionStoreConfig, Settings};
use crate::metrics::SEQUENCES;
use cycle::{CycleOutcome, SequenceWorkerContext};
use lead::Leads;
use membership::Membership;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
pub use triggers::Triggers;
use worker_state::SequenceWorkerState;

/// From the end of a cycle that a notification started to the begin of the next.
const MIN_NOTIFY_INTERVAL: Duration = Duration::from_secs(1);

/// And so many times as long as that cycle took: a flood of notifications keeps an agent busy for a quarter of the time.
const NOTIFY_PAUSE_RATIO: u32 = 3;

/// Who leads on a database, and what starts a cycle of its worker.
pub struct WorkerLead {
    membership: Membership,
    triggers: Arc<Triggers>,
}

/// The lease of a server whose databases are discovered, and what starts a cycle in the one that its connection string names.
pub struct FleetLead {
    pub place: (Arc<ServerLead>, usize),
    pub home: Arc<Triggers>,
}

/// Who leads on each database, and the lease of each server, in their order. The databases of a server share its lease.
pub fn leads(settings: &Settings) -> (Vec<WorkerLead>, Vec<FleetLead>) {
    let triggers: Vec<Arc<Triggers>> = settings.databases.iter().map(|_| Arc::default()).collect();
    let home_triggers: Vec<Arc<Triggers>> = settings.servers.iter().map(|_| Arc::default()).collect();
    let Leads { databases, servers } = lead::leads(settings, (&triggers, &home_triggers));
    let own = |((lead, place), triggers)| WorkerLead { membership: Membership::Own { lead, place }, triggers };
    let databases = databases.into_iter().zip(triggers).map(own).collect();
    let servers = servers.into_iter().zip(home_triggers).map(|(place, home)| FleetLead { place, home }).collect();
    (databases, servers)
}

impl WorkerLead {
    /// Of a discovered database. `home` is given for the one that the server's connection string names.
    pub fn discovered(member: FleetMember, home: Option<Arc<Triggers>>) -> Self {
        Self { membership: Membership::Discovered(member), triggers: home.unwrap_or_default() }
    }
}

/// The longest time between two ticks.
pub fn longest_interval(settings: &Settings) -> Duration {
    intervals(&settings.sequences.schedule, crate::clock::now().into()).longest
}

/// Starts the worker, whose first cycle runs at once. It is one task, so that cycles never overlap. `leadership` is sent
/// to the session worker.
pub fn start(
    context: &AgentContext,
    settings: &Arc<Settings>,
    database: &Database,
    lead: WorkerLead,
    leadership: watch::Sender<Leadership>,
) -> Worker {
    let WorkerLead { membership, triggers } = lead;
    let intervals = intervals(&settings.sequences.schedule, crate::clock::now().into());
    let publisher = Publisher::new(context, &database.name, SEQUENCES);
    publisher.init_database(intervals.longest);
    let (busy, stop) = (Arc::new(AtomicBool::new(false)), CancellationToken::new());
    let handler = {
        let (triggers, busy) = (Arc::clone(&triggers), Arc::clone(&busy));
        publisher.tick_handler(move || {
            let accepted = !busy.load(Ordering::Relaxed);
            if accepted {
                triggers.tick();
            }
            accepted
        })
    };
    let tick = Tick { schedule: settings.sequences.schedule.clone(), handler };
    // The worker of a server spreads its ticks.
    let jitter = if membership.tries_again() { schedule_jitter(intervals.shortest) } else { Duration::ZERO };
    let worker = SequenceWorkerContext {
        database: database.clone(),
        settings: Arc::clone(settings),
        session_tables: SessionStoreConfig::for_database(&settings.sessions, &database.name)
            .map(|store| store.table.clone())
            .collect(),
        lead: membership,
        dry_run: context.state.dry_run(),
        triggers,
        leadership,
        stop: stop.clone(),
    };
    let state = SequenceWorkerState::new(publisher, worker.lead.losses());
    let work = run_worker(worker, state, jitter, busy);
    Worker::spawn(&database.name, SEQUENCES, vec![tick], stop, work)
}

/// Runs a cycle at once, after every tick, after a notification, and after a failure when the back-off is over.
async fn run_worker(
    context: SequenceWorkerContext,
    mut state: SequenceWorkerState,
    jitter: Duration,
    busy: Arc<AtomicBool>,
) {
    let mut backoff = Backoff::default();
    let mut next = NextCycle(Some(Instant::now() + jitter));
    // Notifications are rate limited: one that comes earlier waits until then.
    let mut next_notified = Instant::now();
    let mut notified = false;
    loop {
        tokio::select! {
            () = context.stop.cancelled() => break,
            () = context.triggers.wait_tick() => next.no_later_than(Instant::now() + jitter),
            () = context.triggers.wait_notification() => {
                notified = true;
                next.no_later_than(next_notified);
            }
            () = state.lease_lost() => {
                context.mark_lease_lost(&mut state);
                if context.lead.tries_again() {
                    next.no_later_than(Instant::now() + backoff.next_delay());
                }
            }
            () = next.wait() => {
                busy.store(true, Ordering::Relaxed);
                let began = Instant::now();
                let outcome = catch_panic(context.run_cycle(&mut state)).await;
                busy.store(false, Ordering::Relaxed);
                next = NextCycle(match outcome {
                    Some(CycleOutcome::Done) => {
                        backoff.reset();
                        None
                    }
                    Some(CycleOutcome::RetrySoon) => Some(Instant::now() + backoff.next_delay()),
                    None => {
                        state.panicked();
                        None
                    }
                });
                if std::mem::take(&mut notified) {
                    next_notified = Instant::now() + MIN_NOTIFY_INTERVAL.max(began.elapsed() * NOTIFY_PAUSE_RATIO);
                }
            }
        }
    }
    Box::pin(context.release_lease(&mut state)).await;
}

/// When a cycle runs, if nothing triggers one earlier.
struct NextCycle(Option<Instant>);

impl NextCycle {
    fn no_later_than(&mut self, instant: Instant) {
        self.0 = Some(self.0.map_or(instant, |due| due.min(instant)));
    }

    async fn wait(&self) {
        match self.0 {
            Some(due) => sleep_until(due).await,
            None => std::future::pending().await,
        }
    }
}
