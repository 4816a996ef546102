//! Many judgements of one sequence, with inserts, imports and deletions between and beside them.

use proptest::prelude::*;

use super::super::*;
use super::look::answer;
use super::properties::{World, world};

/// What happens before a pass, in values.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// So many inserts draw from the sequence.
    Insert(i128),
    /// An import so far ahead: ids, and how far apart.
    Import(i128, i128, i128),
    /// Everything from so far ahead on is deleted.
    Delete(i128),
}

fn event() -> impl Strategy<Value = Event> {
    let ahead = prop_oneof![0_i128..3, 0_i128..3000, 0_i128..300_000];
    let step = prop_oneof![Just(1_i128), 2_i128..40, 40_i128..1500];
    prop_oneof![
        (0_i128..500).prop_map(Event::Insert),
        (ahead.clone(), 1_i128..600, step).prop_map(|(ahead, ids, step)| Event::Import(ahead, ids, step)),
        ahead.prop_map(Event::Delete),
    ]
}

/// A sequence over its whole life.
struct Life {
    world: World,
    history: History,
    burnt: i128,
    ids_passed: i128,
    early: u32,
}

impl Life {
    fn insert(&mut self, values: i128) {
        let World { next, limit, .. } = self.world;
        let inserted = values.min(limit + 1 - next);
        self.world.put(next, inserted, 1);
        self.world.next += inserted;
    }

    fn happen(&mut self, event: Event) {
        let next = self.world.next;
        match event {
            Event::Insert(values) => {
                self.insert(values);
                self.history.most_handed_out = self.history.most_handed_out.max(u64::try_from(values).unwrap());
            }
            Event::Import(ahead, ids, step) => {
                self.world.put(next + ahead, ids, step);
            }
            Event::Delete(ahead) => {
                let (from, to) = (self.world.own.id(next + ahead), self.world.own.id(self.world.limit));
                self.world.rows.remove(from.min(to), from.max(to));
            }
        }
    }

    /// Judges while `beside` values are handed out between any two of its questions.
    fn pass(&mut self, beside: i128) {
        self.world.memory = Memory::Lasting(self.history);
        let (terms, mut walk) = (self.world.terms(), self.world.walk(3));
        let begun = self.world.clone();
        let found = loop {
            match walk.progress() {
                Progress::Done(found) => break found,
                Progress::Ask(question) => {
                    let answer = answer(&self.world.table(true), &question);
                    walk.answer(answer).expect("the answer is right");
                    self.insert(beside);
                }
            }
        };
        let observation = Observation { max_id: self.world.observe(found).max_id, ..begun.observe(found) };
        let Decision::Repair { repair, .. } = decide(&observation, &terms, &Wishes::default()) else { return };
        self.history.charged += repair.charged;
        self.early += u32::from(repair.kind == RepairKind::Early);
        self.history.passed_early |= repair.kind == RepairKind::Early;
        // The repair itself reads the sequence again and moves it forward only.
        let next = self.world.next;
        if repair.past >= next {
            let table = self.world.table(true);
            self.burnt += repair.past + 1 - next - table.count(next, repair.past);
            self.ids_passed += table.count(begun.next, repair.past);
            self.world.next = repair.past + 1;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_life_burns_no_more_than_its_allowance_and_the_holes_of_dense_blocks(
        world in world(&[1, -1]),
        events in prop::collection::vec((event(), prop_oneof![Just(0_i128), 0_i128..300]), 1..40),
    ) {
        let mut life = Life { world, history: History::default(), burnt: 0, ids_passed: 0, early: 0 };
        let range = (life.world.limit + 1).min(1 << 31);
        for (event, beside) in events {
            life.happen(event);
            life.pass(beside);
            let charged = i128::try_from(life.history.charged).unwrap();
            prop_assert!(charged <= range / 20, "{charged} charged of {range}");
            prop_assert!(life.early <= 1);
            prop_assert!(life.burnt <= charged + life.ids_passed * 29 / 3, "{} burnt, {charged} charged", life.burnt);
            prop_assert!(life.world.next <= life.world.limit + 1);
        }
    }
}
