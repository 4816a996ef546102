//! A scenario: a table, a sequence, and what happens to them.

use super::rows::{Pattern, Rows};

pub const INT2: i128 = i16::MAX as i128;
pub const INT4: i128 = i32::MAX as i128;
pub const INT8: i128 = i64::MAX as i128;
/// A million.
pub const M: i128 = 1_000_000;

/// What happens to the table or the sequence at a time. "Ahead" counts from the next value.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    Put(i128, i128),
    PutPattern(Pattern),
    /// About one id in the first, at random, from the second to the third.
    Scatter(i128, i128, i128),
    PutAhead(i128, i128),
    /// One id at this share of what is left.
    PutAtShare(f64),
    /// So many ids behind the furthest one, by the application's own MAX + 1.
    PutBehindMax(i128),
    Remove(i128, i128),
    /// Takes the last id of `PutAhead` away again, as if it had never been.
    TakeBack,
    SetNext(i128),
    /// A script's `setval(MAX + …)`.
    SetNextFromMax(i128),
    /// TRUNCATE RESTART IDENTITY, then ids 1 to this one.
    Restart(i128),
    /// A failover that loses so many rows and values.
    Lose(i128),
    DeleteAll,
}

/// Who looks: an agent with a memory, or a run without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Agent,
    Once,
}

pub struct Scenario {
    pub name: &'static str,
    pub first: i128,
    pub limit: i128,
    pub next: i128,
    pub rows: Rows,
    /// Every id that was ever in the table.
    pub ever: Rows,
    pub mode: Mode,
    pub known_next: Option<i128>,
    /// Inserts a second.
    pub rate: fn(i64) -> f64,
    pub seconds: i64,
    /// Rows are deleted after so many seconds.
    pub lifetime: Option<i64>,
    /// The application stores v*50 … v*50+49 for each value v.
    pub hilo: bool,
    pub unique: bool,
    pub events: Vec<(i64, Event)>,
}

/// An int4 key whose sequence stands at `next`, watched by an agent for an hour, one insert a second.
pub fn scenario(name: &'static str, next: i128) -> Scenario {
    Scenario {
        name,
        first: 1,
        limit: INT4,
        next,
        rows: Rows::default(),
        ever: Rows::default(),
        mode: Mode::Agent,
        known_next: None,
        rate: |_| 1.0,
        seconds: 3600,
        lifetime: None,
        hilo: false,
        unique: true,
        events: Vec::new(),
    }
}

impl Scenario {
    pub fn rows(mut self, from: i128, to: i128) -> Self {
        self.rows.add(from, to);
        self
    }

    pub fn pattern(mut self, pattern: Pattern) -> Self {
        self.rows.add_pattern(pattern);
        self
    }

    /// About one id in `one_in`, at random.
    pub fn scattered(mut self, one_in: i128, from: i128, to: i128) -> Self {
        self.rows.scatter(one_in, from, to);
        self
    }

    /// Ids that were handed out before.
    pub fn ever(mut self, from: i128, to: i128) -> Self {
        self.ever.add(from, to);
        self
    }

    pub fn rate(mut self, rate: fn(i64) -> f64) -> Self {
        self.rate = rate;
        self
    }

    pub fn seconds(mut self, seconds: i64) -> Self {
        self.seconds = seconds;
        self
    }

    pub fn limit(mut self, limit: i128) -> Self {
        self.limit = limit;
        self
    }

    pub fn knows(mut self, next: i128) -> Self {
        self.known_next = Some(next);
        self
    }

    pub fn once(mut self) -> Self {
        self.mode = Mode::Once;
        self
    }

    pub fn lifetime(mut self, seconds: i64) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    pub fn first(mut self, first: i128) -> Self {
        self.first = first;
        self
    }

    pub fn hilo(mut self) -> Self {
        self.hilo = true;
        self
    }

    pub fn without_unique_key(mut self) -> Self {
        self.unique = false;
        self
    }

    pub fn at(mut self, time: i64, event: Event) -> Self {
        self.events.push((time, event));
        self
    }

    /// The same at `count` times, `every` seconds apart.
    pub fn each(mut self, from: i64, every: i64, count: i64, event: impl Fn(i64) -> Event) -> Self {
        self.events.extend((0..count).map(|nth| (from + every * nth, event(nth))));
        self
    }
}
