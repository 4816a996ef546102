//! Runs the faults: a fault with sabotage, a wait for calm, sabotage in calm, a wait for calm, and the next fault.

use super::chance::Chance;
use super::history::{Event, Fault, Moment};
use super::scene::Scene;
use super::watcher::{Observation, Order};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::sleep;

const PAUSE: Duration = Duration::from_millis(20);

/// The lease of an agent that is stopped or cut off lasts at most this long (docs/agent.md).
const LEASE: Duration = Duration::from_secs(45);

/// The longest wait for calm.
const RECOVERY_LIMIT: Duration = Duration::from_secs(150);

/// The number of passes that must have completed since the fault ended.
const PASSES: u64 = 2;

pub struct Director {
    pub scene: Scene,
    pub chance: Chance,
    pub orders: mpsc::Sender<Order>,
    pub seen: watch::Receiver<Observation>,
    /// When the run ends.
    pub until: Moment,
}

impl Director {
    /// Injects faults until the time is over, or the system has not recovered.
    pub async fn play(&mut self) {
        let faults = self.scene.possible();
        let mut round: Vec<Fault> = Vec::new();
        if !self.calm("the start").await {
            return;
        }
        while self.now() < self.until {
            if round.is_empty() {
                round.clone_from(&faults);
                self.chance.shuffle(&mut round);
            }
            let Some(fault) = round.pop() else { return };
            if self.chance.one_in(2) {
                self.sabotage().await;
            }
            println!("{:8.3} {fault}", self.now().as_secs_f64());
            self.note(Event::FaultBegins(fault));
            self.inject(fault).await;
            self.note(Event::FaultEnds(fault));
            if !self.calm(&fault.to_string()).await {
                return;
            }
            self.sabotage().await;
            if !self.calm("sabotage in calm").await {
                return;
            }
        }
    }

    pub fn now(&self) -> Moment {
        self.scene.shared.history.now()
    }

    fn note(&self, event: Event) {
        self.scene.shared.history.note(self.now(), event);
    }

    /// Makes one sabotage. Returns false if it had no effect.
    pub async fn sabotage(&self) -> bool {
        let (order, done) = oneshot::channel();
        self.orders.send(order).await.is_ok() && done.await.unwrap_or(false)
    }

    /// Keeps a fault for a while, with sabotage in the middle and at the end.
    pub async fn hold(&mut self) {
        for _ in 0..2 {
            sleep(Duration::from_millis(200 + self.chance.below(1000) as u64)).await;
            self.sabotage().await;
        }
    }

    /// In a long run, the fault sometimes lasts longer than the lease.
    pub async fn hold_or_longer(&mut self) {
        self.hold().await;
        if self.is_long() && self.chance.one_in(3) {
            sleep(LEASE + Duration::from_secs(3)).await;
            self.sabotage().await;
        }
    }

    pub fn is_long(&self) -> bool {
        self.until >= Duration::from_secs(300)
    }

    /// Waits until no sequence is behind and a leader has made passes since. Returns false if that takes too long.
    async fn calm(&mut self, after: &str) -> bool {
        let since = self.now();
        let mut first: HashMap<usize, u64> = HashMap::new();
        while self.now() < since + RECOVERY_LIMIT {
            let mut passed = false;
            for (number, (from, page)) in self.scene.shared.pages() {
                if from >= since && page.leads && page.up {
                    let completed = page.passes - page.failures;
                    passed |= completed >= *first.entry(number).or_insert(completed) + PASSES;
                }
            }
            let repaired = {
                let seen = self.seen.borrow();
                seen.at.is_some_and(|at| at >= since) && seen.behind.is_empty()
            };
            if passed && repaired {
                return true;
            }
            sleep(PAUSE).await;
        }
        let behind = self.seen.borrow().behind.clone();
        let what = format!("not back {RECOVERY_LIMIT:?} after {after}; behind: {behind:?}");
        println!("{what}");
        self.note(Event::Stuck(what));
        false
    }
}
