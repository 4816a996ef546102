//! What happened, and when: written by everybody who takes part, read by the checker alone.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Since the run began, by the clock that nobody sets.
pub type Moment = Duration;

/// What is done to the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    ServerKilled,
    ServerRestarted,
    ServerPromoted,
    DiskFull,
    TooManyConnections,
    LeadTerminated,
    LeaderKilled,
    LeaderStopped,
    LeaderCutOff,
    ClockMoved,
    PoolerRestarted,
    TableLocked,
    SequenceLocked,
}

impl Fault {
    pub const ALL: [Self; 13] = [
        Self::ServerKilled,
        Self::ServerRestarted,
        Self::ServerPromoted,
        Self::DiskFull,
        Self::TooManyConnections,
        Self::LeadTerminated,
        Self::LeaderKilled,
        Self::LeaderStopped,
        Self::LeaderCutOff,
        Self::ClockMoved,
        Self::PoolerRestarted,
        Self::TableLocked,
        Self::SequenceLocked,
    ];

    /// A crash forgets what nobody was told of: moves of a sequence whose transactions did not commit.
    pub fn forgets(self) -> bool {
        matches!(self, Self::ServerKilled | Self::DiskFull)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerKilled => "server killed",
            Self::ServerRestarted => "server restarted",
            Self::ServerPromoted => "replica promoted",
            Self::DiskFull => "disk full",
            Self::TooManyConnections => "too many connections",
            Self::LeadTerminated => "leader's connection terminated",
            Self::LeaderKilled => "leader killed, started anew",
            Self::LeaderStopped => "leader stopped, continued",
            Self::LeaderCutOff => "leader's network cut",
            Self::ClockMoved => "agents' clock moved",
            Self::PoolerRestarted => "PgBouncer killed, started anew",
            Self::TableLocked => "table locked",
            Self::SequenceLocked => "sequence locked",
        })
    }
}

/// A sequence as the watcher saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stand {
    /// What `nextval` would give.
    pub next: i64,
    /// An id that it would still give is taken already, or beyond one that is.
    pub behind: bool,
    /// Where it has a cache: its file, which a leap replaces, and with it drops what sessions hold in their caches.
    pub file: Option<i64>,
}

/// Which session: an id may come again, after a sabotage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub id: i64,
    /// In microseconds since 1970, by the server's clock.
    pub created: i64,
}

/// What a sabotage did to the sequence itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// Nothing: its table was given ids.
    Not,
    /// It stands at this next value.
    To(i64),
    /// The answer was lost.
    Unknown,
}

/// A row of the sessions' table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub key: Key,
    /// In microseconds since 1970, by the server's clock.
    pub expires: i64,
}

/// A deletion, as the server itself wrote it down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    pub session: Session,
    /// By an agent, and not by a login of the same user's.
    pub by_agent: bool,
    /// In microseconds since 1970, by the server's clock.
    pub at: i64,
}

/// What an agent's `/metrics` said.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub leads: bool,
    pub up: bool,
    /// Completed passes over sequences and session stores, and those over sequences that were not completed.
    pub passes: u64,
    pub sweeps: u64,
    pub failures: u64,
    /// How many sequences it calls in sync; none when it tells of no verdict.
    pub in_sync: Option<u64>,
    /// How many it says are behind, exhausted or unreadable.
    pub troubled: u64,
    /// The names of those it shows a gap of.
    pub gaps: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    FaultBegins(Fault),
    FaultEnds(Fault),
    /// By the saboteur.
    Sabotage {
        sequence: &'static str,
        moved: Moved,
    },
    /// Every sequence, in one statement.
    Sequences(Vec<(&'static str, Stand)>),
    /// Every session, and every deletion since the look before, in one statement.
    Sessions {
        clock: i64,
        there: Vec<Session>,
        deleted: Vec<Deletion>,
    },
    /// Of the agent's process of this number.
    Scrape {
        agent: usize,
        page: Page,
    },
    /// An insert was answered with this id.
    Given {
        sequence: &'static str,
        id: i64,
    },
    /// An insert found its id taken.
    Duplicate {
        sequence: &'static str,
    },
    /// A login opened a session, after so many repairs of its own.
    Login {
        repairs: usize,
    },
    /// The system did not come back, however long it was waited for.
    Stuck(String),
}

/// Something happened between two moments: begun to be asked, and answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub from: Moment,
    pub to: Moment,
    pub event: Event,
}

/// Shared by all who write.
#[derive(Debug, Clone)]
pub struct History {
    start: Instant,
    entries: Arc<Mutex<Vec<Entry>>>,
}

impl History {
    pub fn begin() -> Self {
        Self { start: Instant::now(), entries: Arc::default() }
    }

    pub fn now(&self) -> Moment {
        self.start.elapsed()
    }

    /// It happened at some moment since `from`.
    pub fn note(&self, from: Moment, event: Event) {
        let mut entries = self.entries.lock().expect("no panic in between");
        let to = self.now();
        entries.push(Entry { from, to, event });
    }

    /// Everything, in the order in which it was over.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().expect("no panic in between").clone()
    }
}
