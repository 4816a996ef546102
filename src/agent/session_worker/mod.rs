//! The worker over the session stores of one database: sweeps each by its schedule, while this agent leads there.
//!
//! It is a task beside the sequence worker, so that a long sweep does not delay a repair.
//!
//! | file | what is in it |
//! |---|---|
//! | `mod.rs` | a tick of a schedule, leadership, the sweep of the stores that are due, publish |
//! | `due_stores.rs` | the stores whose schedules have ticked since the last sweep |

mod due_stores;

use super::backoff::schedule_jitter;
use super::context::AgentContext;
use super::leadership::Leadership;
use super::publisher::Publisher;
use super::scheduler::cron_intervals::{CronIntervals, intervals};
use super::worker::{Tick, Worker, catch_panic};
use crate::config::{Database, SessionStoreConfig, Settings};
use crate::metrics::SESSIONS;
use crate::pass_options::PassOptions;
use crate::sessions::{SessionPassState, pass, unreachable_reports};
use due_stores::DueStores;
use pgmedic_core::{Reason, ReasonKind, Timeouts};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// Starts the worker, which sweeps every store as soon as `leadership` says that this agent leads. It is one task, so
/// that sweeps of a store never overlap. None where the database has no stores.
pub fn start(
    context: &AgentContext,
    settings: &Settings,
    database: &Database,
    leadership: watch::Receiver<Leadership>,
) -> Option<Worker> {
    let stores: Vec<SessionStoreConfig> =
        SessionStoreConfig::for_database(&settings.sessions, &database.name).cloned().collect();
    let now = crate::clock::now().into();
    let intervals: Vec<CronIntervals> = stores.iter().map(|store| intervals(&store.schedule, now)).collect();
    let shortest = intervals.iter().map(|intervals| intervals.shortest).min()?;
    // A sweep of any store shows that the worker runs.
    let longest = intervals.iter().map(|intervals| intervals.longest).min()?;
    let publisher = Publisher::new(context, &database.name, SESSIONS);
    publisher.init_stores(stores.iter().map(|store| store.name.as_str()), longest);
    let (due, stop) = (Arc::new(DueStores::default()), CancellationToken::new());
    let tick = |(index, store): (usize, &SessionStoreConfig)| {
        let due = Arc::clone(&due);
        Tick { schedule: store.schedule.clone(), handler: publisher.tick_handler(move || due.tick(index)) }
    };
    let ticks = stores.iter().enumerate().map(tick).collect();
    let worker = SessionWorker {
        database: database.clone(),
        stores,
        timeouts: settings.sequences.bounds(),
        dry_run: context.state.dry_run(),
        leadership,
        jitter: schedule_jitter(shortest),
        due,
        publisher,
        pass_state: SessionPassState::persistent(),
        stop: stop.clone(),
    };
    Some(Worker::spawn(&database.name, SESSIONS, ticks, stop, worker.run()))
}

struct SessionWorker {
    database: Database,
    stores: Vec<SessionStoreConfig>,
    timeouts: Timeouts,
    dry_run: bool,
    leadership: watch::Receiver<Leadership>,
    jitter: Duration,
    due: Arc<DueStores>,
    publisher: Publisher,
    pass_state: SessionPassState,
    stop: CancellationToken,
}

impl SessionWorker {
    /// Sweeps the stores that are due: all when this agent becomes the leader, and then each by its schedule.
    async fn run(mut self) {
        // True until the first sweeps after this agent has become, or is again, the leader.
        let mut sweep_all = true;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                changed = self.leadership.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    let leadership = *self.leadership.borrow_and_update();
                    match leadership {
                        _ if leadership.works() && sweep_all => {
                            sweep_all = false;
                            (0..self.stores.len()).for_each(|store| { self.due.tick(store); });
                        }
                        Leadership::Follower => {
                            sweep_all = true;
                            self.forget_state();
                        }
                        Leadership::Leader | Leadership::Observer | Leadership::Unknown => {}
                    }
                }
                () = self.due.wait() => {
                    if self.stop.run_until_cancelled(sleep(self.jitter)).await.is_some() {
                        self.sweep_due_stores().await;
                    }
                }
            }
        }
    }

    /// Another agent sweeps meanwhile, so the guards cannot compare with what was seen before: the next pass only looks.
    fn forget_state(&mut self) {
        self.pass_state = SessionPassState::persistent();
        self.publisher.forget_stores();
    }

    async fn sweep_due_stores(&mut self) {
        let due = self.due.begin();
        let stores: Vec<&SessionStoreConfig> = due.iter().filter_map(|store| self.stores.get(*store)).collect();
        if self.leadership.borrow().works() {
            let started = Instant::now();
            let options =
                PassOptions { dry_run: self.dry_run, cancel: self.stop.child_token(), ..PassOptions::default() };
            let pass = pass(&self.database, &stores, self.timeouts, &options, &mut self.pass_state);
            let reports = catch_panic(pass).await.unwrap_or_else(|| {
                let text = "the pass panicked: this is a defect of pgmedic, please report it";
                unreachable_reports(&stores, &Reason::new(ReasonKind::Internal, text))
            });
            if !self.stop.is_cancelled() {
                self.publisher.sweep(reports, started.elapsed());
            }
        } else {
            self.publisher.skipped_as_standby();
        }
        self.due.end();
    }
}
