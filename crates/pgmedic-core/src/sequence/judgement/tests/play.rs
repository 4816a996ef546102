//! Plays a scenario: inserts as steady as its rate, a pass every 30 seconds.

use super::super::*;
use super::look::{Table, walk};
use super::rows::Pattern;
use super::scenario::{Event, Mode, Scenario};

/// What became of a scenario.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Inserts that met a taken id.
    pub failed: i128,
    /// Inserts refused because no value was left.
    pub exhausted: i128,
    /// Values that repairs passed and that no row held.
    pub burnt: i128,
    /// Values handed out that a deleted row had held.
    pub reissued: i128,
    /// Passes that held something, by word.
    pub held: Vec<(&'static str, u32)>,
    /// Values charged.
    pub charged: u128,
    /// Most statements in one pass.
    pub questions: usize,
}

struct Play {
    scenario: Scenario,
    time: i64,
    live: Vec<(i64, i128, i128)>,
    taken_back: Option<i128>,
    history: History,
    next_at_last_pass: Option<i128>,
    known_next: Option<i128>,
    outcome: Outcome,
}

pub fn play(mut scenario: Scenario) -> Outcome {
    let known_next = scenario.known_next;
    scenario.ever.absorb(&scenario.rows);
    let mut events = std::mem::take(&mut scenario.events);
    events.sort_by_key(|event| event.0);
    let mut play = Play {
        scenario,
        time: 0,
        live: Vec::new(),
        taken_back: None,
        history: History::default(),
        next_at_last_pass: known_next,
        known_next,
        outcome: Outcome::default(),
    };
    play.run(&events);
    play.outcome
}

impl Play {
    fn run(&mut self, events: &[(i64, Event)]) {
        let (mut due, mut next_pass, mut begun) = (events.iter().peekable(), 30, 0.0);
        while self.time < self.scenario.seconds {
            let event = due.peek().map_or(self.scenario.seconds, |event| event.0);
            let until = next_pass.min(self.scenario.seconds).min(event);
            begun += (self.scenario.rate)(self.time) * (until - self.time) as f64;
            let inserts = begun as i128;
            begun -= inserts as f64;
            self.time = until;
            if self.scenario.hilo {
                (0..inserts).for_each(|_| self.insert_hilo())
            } else {
                self.insert(inserts)
            }
            self.delete_expired();
            while let Some((_, event)) = due.next_if(|event| event.0 <= self.time) {
                self.happen(*event);
            }
            if self.time >= next_pass {
                self.pass();
                next_pass += 30;
            }
        }
    }

    fn insert(&mut self, inserts: i128) {
        let (from, to) = (self.scenario.next, (self.scenario.next + inserts - 1).min(self.scenario.limit));
        self.outcome.exhausted += inserts - (to - from + 1).max(0);
        if from > to {
            return;
        }
        let taken = self.scenario.rows.count(from, to);
        self.outcome.failed += taken;
        self.outcome.reissued += self.ever(from, to) - taken;
        if let Some(lifetime) = self.scenario.lifetime {
            self.live.push((self.time + lifetime, from, to));
        }
        self.put(from, to);
        self.scenario.next = to + 1;
    }

    fn insert_hilo(&mut self) {
        let (from, to) = (self.scenario.next * 50, self.scenario.next * 50 + 49);
        self.scenario.next += 1;
        self.outcome.failed += i128::from(self.scenario.rows.count(from, to) > 0);
        self.put(from, to);
    }

    fn delete_expired(&mut self) {
        let time = self.time;
        let (gone, live) = std::mem::take(&mut self.live).into_iter().partition(|rows| rows.0 <= time);
        self.live = live;
        Vec::into_iter(gone).for_each(|(_, from, to)| self.scenario.rows.remove(from, to));
    }

    fn put(&mut self, from: i128, to: i128) {
        self.scenario.rows.add(from, to);
        self.scenario.ever.add(from, to);
    }

    fn put_pattern(&mut self, pattern: Pattern) {
        self.scenario.rows.add_pattern(pattern);
        self.scenario.ever.add_pattern(pattern);
    }

    /// Ids from `from` to `to` that are, or were, in the table.
    fn ever(&self, from: i128, to: i128) -> i128 {
        self.scenario.ever.count(from, to)
    }

    fn happen(&mut self, event: Event) {
        let (next, limit) = (self.scenario.next, self.scenario.limit);
        let max = self.scenario.rows.last(limit).unwrap_or(0);
        match event {
            Event::Put(from, to) => self.put(from, to),
            Event::Scatter(one_in, from, to) => {
                self.scenario.rows.scatter(one_in, from, to);
                self.scenario.ever.scatter(one_in, from, to);
            }
            Event::PutPattern(pattern) => self.put_pattern(pattern),
            Event::PutAhead(from, to) => {
                self.taken_back = Some(next + to);
                self.put(next + from, next + to);
            }
            Event::PutAtShare(share) => {
                let id = (next as f64 + share * (limit - next) as f64) as i128;
                self.put(id, id);
            }
            Event::PutBehindMax(ids) => self.put(max + 1, max + ids),
            Event::Remove(from, to) => self.scenario.rows.remove(from, to),
            Event::TakeBack => {
                if let Some(id) = self.taken_back {
                    self.scenario.rows.remove(id, id);
                    self.scenario.ever.remove(id, id);
                }
            }
            Event::SetNext(value) => self.scenario.next = value,
            Event::SetNextFromMax(values) => self.scenario.next = max + values,
            Event::Restart(seeds) => {
                self.delete_all();
                self.scenario.ever.clear();
                self.scenario.next = 1;
                self.put(1, seeds);
            }
            Event::Lose(rows) => {
                self.scenario.rows.remove(next - rows, next - 1);
                self.scenario.next = next - rows;
            }
            Event::DeleteAll => self.delete_all(),
        }
    }

    fn delete_all(&mut self) {
        self.scenario.rows.clear();
        self.live.clear();
    }

    fn pass(&mut self) {
        let next = self.scenario.next;
        if let Some(last) = self.next_at_last_pass {
            let handed_out = u64::try_from(next - last).unwrap_or(0);
            self.history.most_handed_out = self.history.most_handed_out.max(handed_out);
        }
        match self.judge() {
            Decision::Repair { repair, rest } => {
                self.repair(repair);
                rest.into_iter().for_each(|hold| self.held(hold.word()));
            }
            Decision::Held(hold) => self.held(hold.word()),
            Decision::InSync { .. } | Decision::Exhausted => {}
        }
        if self.scenario.mode == Mode::Agent {
            let next = self.scenario.next;
            self.next_at_last_pass = Some(next);
            self.known_next = self.known_next.max(Some(next));
        }
    }

    fn judge(&mut self) -> Decision {
        let Scenario { first, limit, next, rows, mode, .. } = &self.scenario;
        let (limit, next) = (limit - first, next - first);
        let max_id = rows.last(limit + first).map(|id| id - first).filter(|id| *id >= 0);
        let memory = match mode {
            Mode::Agent => Memory::Lasting(self.history),
            Mode::Once => Memory::RunOnly { charged: 0 },
        };
        let terms = Terms::new(limit, &Settings::default(), &memory);
        let ids = if max_id.is_none_or(|max_id| max_id < next) {
            Ids::NoneAhead
        } else if self.scenario.unique {
            let own = Numbering::new(i64::try_from(*first).unwrap(), i64::MAX, 1, *first);
            let seen = Table { rows, own, exact: false };
            let new = BlockWalk::new(next, limit, terms, Draws::new(15));
            let (found, questions) = walk(&seen, max_id.map_or(new.clone(), |max| new.with_max_id(max)));
            self.outcome.questions = self.outcome.questions.max(questions);
            Ids::Walked(found)
        } else {
            Ids::NoUniqueKey
        };
        let known_next = self.known_next.map(|known| known - first);
        let observation = Observation { next, limit, max_id, ids, far_count: None, known_next };
        decide(&observation, &terms, &Wishes::default())
    }

    fn repair(&mut self, repair: Repair) {
        let (from, to) = (self.scenario.next, repair.past + self.scenario.first);
        assert!(to >= from, "a repair moves forward");
        self.outcome.burnt += to - from + 1 - self.scenario.rows.count(from, to);
        self.outcome.charged += repair.charged;
        self.history.charged += repair.charged;
        self.history.passed_early |= repair.kind == RepairKind::Early;
        self.scenario.next = to + 1;
    }

    fn held(&mut self, word: &'static str) {
        match self.outcome.held.iter_mut().find(|held| held.0 == word) {
            Some(held) => held.1 += 1,
            None => self.outcome.held.push((word, 1)),
        }
    }
}
