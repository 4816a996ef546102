//! Each algorithm is played as its framework writes it: several clients that draw from one sequence, and restart.

use super::super::position::{ColumnRange, Parameters, Position, SequenceState};
use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// A sequence that hands out values.
#[derive(Debug, Clone, Copy)]
struct Sequence {
    next: i128,
    increment: i64,
    start: i128,
}

impl Sequence {
    fn draw(&mut self) -> i128 {
        let value = self.next;
        self.next += i128::from(self.increment);
        value
    }
}

/// One application process: what it remembers of the block that it uses up.
#[derive(Debug, Clone, Copy, Default)]
struct Client {
    /// The next id and the last one of the block.
    block: Option<(i128, i128)>,
}

impl Client {
    /// The id of its next row, as `allocator`'s framework computes it.
    fn next_id(&mut self, allocator: Allocator, sequence: &mut Sequence) -> i128 {
        let size = i128::from(sequence.increment);
        let (id, last) = match (allocator, self.block) {
            (_, Some((id, last))) if id <= last => (id, last),
            (Allocator::Residue, _) => {
                let value = sequence.draw();
                (value, value)
            }
            (Allocator::Pooled, before) => {
                let value = sequence.draw();
                // A process that gets the sequence's first value takes a second one, and begins at the first.
                let (id, last) = if before.is_none() && value == sequence.start {
                    (value, sequence.draw())
                } else {
                    (value - size + 1, value)
                };
                (id, last)
            }
            (Allocator::PooledLo | Allocator::HiLo, _) => {
                let low = sequence.draw();
                (low, low + size - 1)
            }
            (Allocator::LegacyHiLo { block_size }, _) => {
                let size = i128::from(block_size);
                let high = sequence.draw() * size;
                (high, high + size - 1)
            }
        };
        self.block = Some((id + 1, last));
        id
    }
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Insert(usize),
    Restart(usize),
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let client = 0..3_usize;
    proptest::collection::vec(
        prop_oneof![9 => client.clone().prop_map(Event::Insert), 1 => client.prop_map(Event::Restart)],
        1..300,
    )
}

fn allocators() -> impl Strategy<Value = (Allocator, i64)> {
    prop_oneof![
        (1..60_i64).prop_map(|increment| (Allocator::Residue, increment)),
        (1..60_i64).prop_map(|increment| (Allocator::Pooled, increment)),
        (1..60_i64).prop_map(|increment| (Allocator::PooledLo, increment)),
        (1..60_i64).prop_map(|increment| (Allocator::HiLo, increment)),
        (1..60_u32).prop_map(|block_size| (Allocator::LegacyHiLo { block_size }, 1)),
    ]
}

/// The rows that three clients insert.
fn play(allocator: Allocator, sequence: &mut Sequence, events: &[Event]) -> Vec<i128> {
    let mut clients = [Client::default(); 3];
    let mut ids = Vec::new();
    for event in events {
        match *event {
            Event::Insert(client) => ids.push(clients[client].next_id(allocator, sequence)),
            Event::Restart(client) => clients[client] = Client::default(),
        }
    }
    ids
}

/// The next value after a repair of a sequence that stands at `next` beside these rows: the first value beyond the value
/// of the furthest id.
fn repaired(blocks: Blocks, next: i128, increment: i64, rows: &BTreeSet<i128>) -> i128 {
    match rows.last() {
        Some(max_id) if blocks.value(*max_id) >= next => blocks.value(*max_id) + i128::from(increment),
        _ => next,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A restore brought the rows and left the sequence behind; then other clients insert.
    #[test]
    fn no_insert_fails_after_a_repair(
        (allocator, increment) in allocators(),
        start in 1..200_i64,
        before in events(),
        after in events(),
        lost in 0..400_i128,
    ) {
        let start = i128::from(start);
        let mut sequence = Sequence { next: start, increment, start };
        let rows: BTreeSet<i128> = play(allocator, &mut sequence, &before).into_iter().collect();
        let blocks = Blocks::new(allocator, increment, start);
        let behind = sequence.next - (lost * i128::from(increment)).min(sequence.next - start);
        let next = repaired(blocks, behind, increment, &rows);
        prop_assert!((next - start) % i128::from(increment) == 0, "another residue class");
        prop_assert!(rows.range(blocks.ids(next)).next().is_none(), "the block of {next} is not free");
        if next > behind {
            let one_less = next - i128::from(increment);
            prop_assert!(rows.range(blocks.ids(one_less)).next().is_some(), "{next} is one too far");
        }
        let mut sequence = Sequence { next, ..sequence };
        let new = play(allocator, &mut sequence, &after);
        let distinct: BTreeSet<i128> = new.iter().copied().collect();
        prop_assert_eq!(distinct.len(), new.len(), "two clients made the same id");
        prop_assert!(distinct.is_disjoint(&rows), "an insert met a taken id");
    }

    /// Restores leave the sequence where it was: a healthy one is never moved.
    #[test]
    fn a_healthy_sequence_is_beyond_every_row((allocator, increment) in allocators(), events in events()) {
        let mut sequence = Sequence { next: 1, increment, start: 1 };
        let rows: BTreeSet<i128> = play(allocator, &mut sequence, &events).into_iter().collect();
        let blocks = Blocks::new(allocator, increment, 1);
        prop_assert_eq!(repaired(blocks, sequence.next, increment, &rows), sequence.next);
    }

    /// Ids and values correspond, in both directions, also at the edges of int8.
    #[test]
    fn each_id_of_a_block_belongs_to_its_value(
        (allocator, increment) in allocators(),
        descending: bool,
        steps in -1000..1000_i128,
        own in prop_oneof![Just(i128::from(i64::MIN)), Just(i128::from(i64::MAX)), -500..500_i128],
    ) {
        let increment = if descending { -increment } else { increment };
        let blocks = Blocks::new(allocator, increment, own);
        let value = own + steps * i128::from(increment);
        for id in [*blocks.ids(value).start(), value, *blocks.ids(value).end()] {
            if blocks.ids(value).contains(&id) {
                prop_assert_eq!(blocks.value(id), value);
                prop_assert!(blocks.holds(id));
            }
        }
    }

    /// The furthest id has the furthest value.
    #[test]
    fn the_value_never_falls_in_the_sequences_direction(
        (allocator, increment) in allocators(), descending: bool, a in -5000..5000_i128, b in -5000..5000_i128,
    ) {
        let increment = if descending { -increment } else { increment };
        let blocks = Blocks::new(allocator, increment, 7);
        let forward = |from: i128, to: i128| (to - from) * i128::from(increment.signum()) >= 0;
        prop_assert!(!forward(a, b) || forward(blocks.value(a), blocks.value(b)));
    }

    #[test]
    fn a_value_fits_when_its_whole_block_does((allocator, increment) in allocators(), value in -40_000..40_000_i128) {
        let blocks = Blocks::new(allocator, increment, 0);
        let fits = blocks.values_that_fit(ColumnRange::INT2);
        let ids = blocks.ids(value);
        let whole = *ids.start() >= i128::from(i16::MIN) && *ids.end() <= i128::from(i16::MAX);
        prop_assert_eq!((i128::from(fits.min)..=i128::from(fits.max)).contains(&value), whole);
    }
}

#[test]
fn a_descending_block_lies_on_the_other_side() {
    let pooled = Blocks::new(Allocator::Pooled, -50, -1);
    assert_eq!((pooled.ids(-51), pooled.value(-51), pooled.value(-2)), (-51..=-2, -51, -51));
    let low = Blocks::new(Allocator::HiLo, -50, -1);
    assert_eq!((low.ids(-51), low.value(-100), low.value(-101)), (-100..=-51, -51, -101));
}

#[test]
fn every_name_is_an_allocator_and_is_written_as_it_is_read() {
    for name in Allocator::NAMES {
        assert_eq!(name.parse::<Allocator>().map(|allocator| allocator.to_string()), Ok(name.to_owned()));
    }
    assert_eq!("Pooled".parse::<Allocator>(), Err(UnknownAllocator));
}

/// The position's own arithmetic repairs a sequence of blocks, when it is told the value of the furthest id.
#[test]
fn a_position_is_moved_to_the_first_free_block() {
    let parameters = Parameters { increment: 50, min_value: 1, max_value: i64::MAX, start: 1, cache: 1, cycle: false };
    let state = SequenceState { last_value: 1, is_called: false };
    let position = Position::new(parameters, state, ColumnRange::INT8);
    let blocks = Blocks::new(Allocator::Pooled, 50, position.next());
    let value = i64::try_from(blocks.value(1000)).unwrap();
    let number = position.numbering().number(value.into()).unwrap();
    let target = position.move_past(number, 0).unwrap();
    assert_eq!((value, target.last + 50), (1001, 1051), "1002 to 1051 is the first free block");
}
