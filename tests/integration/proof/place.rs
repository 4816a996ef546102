//! Where everybody is to be found, which changes with every fault.

use super::history::{History, Moment, Page};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

/// An agent's process: no two have the same number, and each takes one of two seats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    pub number: usize,
    pub address: SocketAddr,
}

/// Shared by all.
#[derive(Debug)]
pub struct Place {
    pub history: History,
    state: Mutex<State>,
    over: AtomicBool,
}

#[derive(Debug)]
struct State {
    /// The primary's URL, through nothing.
    direct: String,
    seats: [Option<Known>; 2],
    /// What each process said last, and when it was asked.
    pages: HashMap<usize, (Moment, Page)>,
}

impl Place {
    pub fn new(history: History, direct: String) -> Self {
        let state = State { direct, seats: [None; 2], pages: HashMap::new() };
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

    pub fn seat(&self, seat: usize) -> Option<Known> {
        self.state().seats[seat]
    }

    pub fn take_seat(&self, seat: usize, known: Option<Known>) {
        self.state().seats[seat] = known;
    }

    pub fn said(&self, number: usize, from: Moment, page: Page) {
        self.state().pages.insert(number, (from, page));
    }

    pub fn pages(&self) -> HashMap<usize, (Moment, Page)> {
        self.state().pages.clone()
    }

    /// The seat of the agent that said last that it leads; the first one's, where none does.
    pub fn leading_seat(&self) -> usize {
        let state = self.state();
        let leads = |known: &Known| state.pages.get(&known.number).is_some_and(|(_, page)| page.leads);
        state.seats.iter().position(|seat| seat.as_ref().is_some_and(leads)).unwrap_or(0)
    }

    /// Tells everybody to go home.
    pub fn close(&self) {
        self.over.store(true, Ordering::Relaxed);
    }

    pub fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }
}
