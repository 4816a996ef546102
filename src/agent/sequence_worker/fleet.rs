//! What is known of a whole server, for the workers of its databases: who leads, and in which databases anything was done.
//!
//! The worker of the server asks, and then wakes the others. A database in which nothing was done is not visited, but for a
//! full pass now and then; the databases take turns with these.

use super::lead::{LeadAnswer, ServerLead};
use crate::agent::leadership::Leadership;
use crate::servers::{Baseline, FoundDatabase};
use pgmedic_core::{Fix, Reason, ReasonKind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Semaphore, SemaphorePermit};

/// Visits that are prepared at a time. The budget of connections allows fewer to work; the others would only take memory.
const MOST_VISITS: usize = 4;

/// One server.
#[derive(Debug)]
pub struct Fleet {
    pub lead: Arc<ServerLead>,
    /// The place among the lease's databases of the one that the connection string names.
    home: usize,
    full_pass_every: u32,
    news: Mutex<News>,
    visits: Semaphore,
    /// No connection is left for another LISTEN, or none is delivered.
    cannot_listen: AtomicBool,
}

/// What the last survey told.
#[derive(Debug)]
struct News {
    answer: Result<LeadAnswer, Reason>,
    /// Surveys so far.
    round: u32,
    databases: HashMap<u32, FoundDatabase>,
}

/// What a worker is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Visit {
    /// Nothing was done in the database since the last visit.
    Unneeded,
    /// Look at what has changed.
    Due,
    /// Read everything.
    Full,
    /// The database cannot be entered.
    Refused(Reason),
}

impl Fleet {
    pub fn new((lead, home): (Arc<ServerLead>, usize), full_pass_every: u32) -> Self {
        let unknown = Reason::new(ReasonKind::NoResponse, "the server was not asked yet");
        let news = News { answer: Err(unknown), round: 0, databases: HashMap::new() };
        Self {
            lead,
            home,
            full_pass_every: full_pass_every.max(1),
            news: Mutex::new(news),
            visits: Semaphore::new(MOST_VISITS),
            cannot_listen: AtomicBool::new(false),
        }
    }

    /// A survey was made. Where it did not ask for the databases, those of the last one stay.
    pub fn surveyed(&self, answer: LeadAnswer, found: Option<&[&FoundDatabase]>) {
        let mut news = self.news();
        news.round = news.round.wrapping_add(1);
        news.answer = Ok(answer);
        if let Some(found) = found {
            news.databases = found.iter().map(|database| (database.oid, (*database).clone())).collect();
        }
    }

    /// The server cannot be monitored.
    pub fn failed(&self, reason: Reason) {
        self.news().answer = Err(reason);
    }

    fn news(&self) -> MutexGuard<'_, News> {
        self.news.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One database of a server.
#[derive(Debug, Clone)]
pub struct FleetMember {
    pub fleet: Arc<Fleet>,
    pub oid: u32,
    pub is_home: bool,
}

impl FleetMember {
    /// Who leads on the server.
    ///
    /// # Errors
    ///
    /// Why the server cannot be monitored.
    pub fn answer(&self) -> Result<LeadAnswer, Reason> {
        self.fleet.news().answer.clone()
    }

    /// The place of the database among those of the lease.
    pub fn place(&self) -> Option<usize> {
        self.is_home.then_some(self.fleet.home)
    }

    /// What is to be done, where the last completed visit left `baseline`. `own` are this agent's transactions there so far.
    pub fn visit(&self, baseline: Option<&mut Baseline>, own: u64) -> Visit {
        let news = self.fleet.news();
        let Some(found) = news.databases.get(&self.oid) else { return Visit::Due };
        if let Some(grant) = &found.missing_grant {
            let reason = Reason::new(ReasonKind::MissingPrivilege, "the role has no CONNECT privilege");
            return Visit::Refused(reason.with_fix(Fix::Sql(grant.clone())));
        }
        let Some(baseline) = baseline else { return Visit::Due };
        // Neighbors have neighboring numbers, so that the same share is due each time.
        if news.round.wrapping_add(self.oid).is_multiple_of(self.fleet.full_pass_every) {
            return Visit::Full;
        }
        let is_replica = news.answer.as_ref().is_ok_and(|answer| answer.leadership == Leadership::Observer);
        match found.activity {
            // What comes from the primary is counted there alone.
            _ if is_replica => Visit::Unneeded,
            Some(activity) if !found.is_written && baseline.is_unchanged(activity, own) => Visit::Unneeded,
            _ => Visit::Due,
        }
    }

    /// How many databases the server has.
    pub fn databases(&self) -> usize {
        self.fleet.news().databases.len()
    }

    /// What a visit that begins now can be compared with later; none where the statistics cannot be read.
    pub fn baseline(&self, own: u64) -> Option<Baseline> {
        let news = self.fleet.news();
        let activity = news.databases.get(&self.oid)?.activity?;
        Some(Baseline::new(activity, own))
    }

    /// Waits for a turn to visit the database.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.fleet.visits.acquire().await.ok()
    }

    /// Whether LISTEN may succeed here.
    pub fn may_listen(&self) -> bool {
        self.is_home || !self.fleet.cannot_listen.load(Ordering::Relaxed)
    }

    /// LISTEN is not possible here. True the first time.
    pub fn cannot_listen(&self) -> bool {
        !self.fleet.cannot_listen.swap(true, Ordering::Relaxed)
    }
}
