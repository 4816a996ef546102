//! What happened in a run, and when. All parts of the run write it, and only the checker reads it.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The time since the run began, by the monotonic clock.
pub type Moment = Duration;

/// The faults that a run injects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    ServerKilled,
    ServerRestarted,
    ServerPromoted,
    LaggingPromoted,
    DiskFull,
    TooManyConnections,
    LeaderTerminated,
    LeaderKilled,
    LeaderStopped,
    LeaderCutOff,
    ClockMoved,
    PoolerRestarted,
    TableLocked,
    SequenceLocked,
}

impl Fault {
    pub const ALL: [Self; 14] = [
        Self::ServerKilled,
        Self::ServerRestarted,
        Self::ServerPromoted,
        Self::LaggingPromoted,
        Self::DiskFull,
        Self::TooManyConnections,
        Self::LeaderTerminated,
        Self::LeaderKilled,
        Self::LeaderStopped,
        Self::LeaderCutOff,
        Self::ClockMoved,
        Self::PoolerRestarted,
        Self::TableLocked,
        Self::SequenceLocked,
    ];

    /// Whether the fault may lose moves of a sequence that no client has seen: those of transactions that did not
    /// commit.
    pub fn loses_moves(self) -> bool {
        matches!(self, Self::ServerKilled | Self::DiskFull)
    }

    /// Whether the fault may lose what was committed and confirmed after it began: the server is gone, and its replica had
    /// received nothing more.
    pub fn loses_commits(self) -> bool {
        matches!(self, Self::LaggingPromoted)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ServerKilled => "server killed",
            Self::ServerRestarted => "server restarted",
            Self::ServerPromoted => "replica promoted",
            Self::LaggingPromoted => "lagging replica promoted",
            Self::DiskFull => "disk full",
            Self::TooManyConnections => "too many connections",
            Self::LeaderTerminated => "leader's connection terminated",
            Self::LeaderKilled => "leader killed and restarted",
            Self::LeaderStopped => "leader stopped, continued",
            Self::LeaderCutOff => "leader's network cut",
            Self::ClockMoved => "agents' clock moved",
            Self::PoolerRestarted => "PgBouncer killed and restarted",
            Self::TableLocked => "table locked",
            Self::SequenceLocked => "sequence locked",
        })
    }
}

/// A sequence, as the watcher observed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SequenceState {
    /// The value that `nextval` would return.
    pub next: i64,
    /// Whether an id at or beyond the next value is taken.
    pub behind: bool,
    /// For a sequence with a cache: its file number. A leap replaces the file, after which sessions drop their cached
    /// values.
    pub file: Option<i64>,
}

/// A session's identity. After a sabotage, another session may get the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    pub id: i64,
    /// In microseconds since 1970, by the server's clock.
    pub created: i64,
}

/// The effect of a sabotage on the sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moved {
    /// None: ids were inserted into its table.
    Not,
    /// It has this next value.
    To(i64),
    /// The response was lost.
    Unknown,
}

/// A row of the sessions' table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    pub key: Key,
    /// In microseconds since 1970, by the server's clock.
    pub expires: i64,
}

/// A deletion, as the server's trigger recorded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deletion {
    pub session: Session,
    /// Whether an agent deleted the session. Otherwise a login or a logout of the user did.
    pub by_agent: bool,
    /// In microseconds since 1970, by the server's clock.
    pub at: i64,
}

/// The relevant metrics of an agent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub leads: bool,
    pub up: bool,
    /// Completed passes over sequences, completed sweeps of session stores, and failed passes over sequences.
    pub passes: u64,
    pub sweeps: u64,
    pub failures: u64,
    /// The number of sequences reported as in sync. `None` if no verdicts are reported.
    pub in_sync: Option<u64>,
    /// The number of sequences reported as behind, exhausted or unreadable.
    pub problems: u64,
    /// The names of the sequences that are reported with a lag.
    pub lagging: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    FaultBegins(Fault),
    FaultEnds(Fault),
    /// An action of the saboteur.
    Sabotage {
        sequence: &'static str,
        moved: Moved,
    },
    /// All sequences, observed by one statement.
    Sequences(Vec<(&'static str, SequenceState)>),
    /// All sessions, and all deletions since the observation before, observed by one statement.
    Sessions {
        clock: i64,
        there: Vec<Session>,
        deleted: Vec<Deletion>,
    },
    /// The metrics of the agent's process with this number.
    Scrape {
        agent: usize,
        page: Page,
    },
    /// An insert returned this id.
    Inserted {
        sequence: &'static str,
        id: i64,
    },
    /// An insert failed because its id was taken.
    Duplicate {
        sequence: &'static str,
    },
    /// A login created a session, after this many inline repairs.
    Login {
        repairs: usize,
    },
    /// The system did not recover in time. The text says after which fault.
    Stuck(String),
}

/// An event between two moments: when the request began, and when it was answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub from: Moment,
    pub to: Moment,
    pub event: Event,
}

/// The recorder of a run. Clones write into the same history.
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

    /// Records an event that began at `from` and has just ended.
    pub fn note(&self, from: Moment, event: Event) {
        let mut entries = self.entries.lock().expect("no panic in between");
        let to = self.now();
        entries.push(Entry { from, to, event });
    }

    /// All events, in the order of their ends.
    pub fn entries(&self) -> Vec<Entry> {
        self.entries.lock().expect("no panic in between").clone()
    }
}
