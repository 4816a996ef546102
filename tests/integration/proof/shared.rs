//! The state that all parts of a run share: the addresses of servers and agents, which change with each fault.

use super::history::{History, Moment, Page};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

/// A process of an agent. Each has another number, and takes one of two slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AgentProcess {
    pub number: usize,
    pub address: SocketAddr,
}

/// The shared state.
#[derive(Debug)]
pub struct Shared {
    pub history: History,
    state: Mutex<State>,
    over: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// The primary's URL, without a proxy or a pooler.
    direct: String,
    slots: [Option<AgentProcess>; 2],
    /// The last page of each process, and when it was asked for.
    pages: HashMap<usize, (Moment, Page)>,
}

impl Shared {
    pub fn new(history: History, direct: String) -> Self {
        let state = State { direct, slots: [None; 2], pages: HashMap::new() };
        Self { history, state: Mutex::new(state), over: AtomicBool::new(false) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic in between")
    }

    pub fn direct(&self) -> String {
        self.state().direct.clone()
    }

    pub fn lead_to(&self, direct: String) {
        self.state().direct = direct;
    }

    pub fn slot(&self, slot: usize) -> Option<AgentProcess> {
        self.state().slots[slot]
    }

    pub fn set_agent(&self, slot: usize, known: Option<AgentProcess>) {
        self.state().slots[slot] = known;
    }

    pub fn record_page(&self, number: usize, from: Moment, page: Page) {
        self.state().pages.insert(number, (from, page));
    }

    pub fn pages(&self) -> HashMap<usize, (Moment, Page)> {
        self.state().pages.clone()
    }

    /// The slot of the agent that leads by its last page, or else the first slot.
    pub fn leading_slot(&self) -> usize {
        let state = self.state();
        let leads = |known: &AgentProcess| state.pages.get(&known.number).is_some_and(|(_, page)| page.leads);
        state.slots.iter().position(|slot| slot.as_ref().is_some_and(leads)).unwrap_or(0)
    }

    /// Ends the run: every part returns soon after.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
