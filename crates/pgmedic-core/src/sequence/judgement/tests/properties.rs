//! One judgement of a random table, against an oracle that knows only rows and the next insert.

use proptest::prelude::*;

use super::super::*;
use super::look::{Table, answer, walk};
use super::rows::{Pattern, Rows};

/// A sequence, its table and what is remembered of it.
#[derive(Debug, Clone)]
pub struct World {
    pub own: Numbering,
    pub next: ValueNumber,
    pub limit: ValueNumber,
    pub rows: Rows,
    pub memory: Memory,
    pub seed: u64,
}

/// What lies ahead of the next value, in values.
#[derive(Debug, Clone, Copy)]
enum Piece {
    Free(i128),
    Dense(i128),
    /// One id in so many, so often.
    Thin(i128, i128),
}

/// 1, 2, 5, … up to about a million, small ones as likely as large ones.
fn size() -> impl Strategy<Value = i128> {
    (0_u32..20, 1_i128..=4).prop_map(|(power, times)| (1_i128 << power) * times / 2 + 1)
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = prop_oneof![
        size().prop_map(Piece::Free),
        size().prop_map(Piece::Dense),
        (2_i128..2000, 2_i128..400).prop_map(|(step, ids)| Piece::Thin(step, ids)),
    ];
    prop::collection::vec(piece, 0..7)
}

/// Bounds of int2, int4 and int8, whole or positive.
fn bounds() -> impl Strategy<Value = (i64, i64)> {
    prop_oneof![
        Just((1, i64::from(i16::MAX))),
        Just((i64::from(i16::MIN), i64::from(i16::MAX))),
        Just((1, i64::from(i32::MAX))),
        Just((i64::from(i32::MIN), -1)),
        Just((1, i64::MAX)),
        Just((i64::MIN, i64::MAX)),
        Just((1, 100)),
    ]
}

/// `busiest`: the most values handed out between two passes.
fn memory(busiest: u64) -> impl Strategy<Value = Memory> {
    let charged = prop_oneof![Just(0), 0_u128..2000, 0_u128..120_000_000];
    (any::<bool>(), 0_u64..busiest, charged, any::<bool>()).prop_map(|(lasting, handed, charged, passed_early)| {
        if lasting {
            Memory::Lasting(History { most_handed_out: handed, charged, passed_early })
        } else {
            Memory::RunOnly { charged }
        }
    })
}

/// A sequence with one of these increments; in a residue class a quiet one, as its ids are looked for one by one.
pub fn world(increments: &'static [i64]) -> impl Strategy<Value = World> {
    let place = prop_oneof![Just(0.0), Just(1.0), 0.0..1.0];
    let busiest = if increments.contains(&1) { 100_000 } else { 500 };
    let increment = prop::sample::select(increments);
    (bounds(), increment, place, 0_i128..3000, pieces(), memory(busiest), any::<u64>()).prop_map(
        |((min, max), increment, place, back, pieces, memory, seed)| {
            let start = if increment > 0 { min } else { max };
            let class = Numbering::new(min, max, increment, i128::from(start) + i128::from(increment.signum()) * 3);
            let limit = class.at_or_before(i128::from(if increment > 0 { max } else { min }));
            let next = ((limit as f64 * place) as i128 - back).clamp(0, limit);
            let mut world = World { own: class, next, limit, rows: Rows::default(), memory, seed };
            world.lay(&pieces);
            world
        },
    )
}

impl World {
    /// Lays the pieces from the next value on, and ids of other residue classes between them.
    fn lay(&mut self, pieces: &[Piece]) {
        let mut at = self.next;
        for piece in pieces {
            match *piece {
                Piece::Free(values) => at += values,
                Piece::Dense(ids) => at = self.put(at, ids, 1),
                Piece::Thin(step, ids) => at = self.put(at, ids, step),
            }
        }
        if !self.own.is_gapless() {
            let near = self.own.id(self.next);
            self.rows.add_pattern(Pattern::Runs { from: near - 5000, to: near + 5000, period: 11, run: 3 });
            self.keep_others_out();
        }
    }

    /// Puts `ids` own ids, each `step` values from the one before; the value behind the last.
    pub fn put(&mut self, at: ValueNumber, ids: i128, step: i128) -> ValueNumber {
        let end = (at + (ids - 1) * step).min(self.limit);
        if at > end {
            return at;
        }
        let (from, to) = (self.own.id(at), self.own.id(at + (end - at) / step * step));
        let period = (self.own.id(step) - self.own.id(0)).abs();
        if period == 1 {
            self.rows.add(from.min(to), from.max(to));
        } else {
            self.rows.add_pattern(Pattern::Runs { from: from.min(to), to: from.max(to), period, run: 1 });
        }
        end + 1
    }

    /// Takes away what fell outside the bounds.
    fn keep_others_out(&mut self) {
        let (first, last) = (self.own.id(0), self.own.id(self.limit));
        self.rows.keep(first.min(last), first.max(last));
    }

    pub fn table(&self, exact: bool) -> Table<'_> {
        Table { rows: &self.rows, own: self.own, exact }
    }

    pub fn terms(&self) -> Terms {
        let advance_limit = if self.own.is_gapless() { 100_000 } else { 1000 };
        Terms::new(self.limit, &Settings { advance_limit, ..Settings::default() }, &self.memory)
    }

    /// A walk that does not know the max id.
    fn blind_walk(&self, most: u16) -> BlockWalk {
        let walk = BlockWalk::new(self.next, self.limit, self.terms(), Draws::new(self.seed)).most_stretches(most);
        if self.own.is_gapless() { walk } else { walk.one_by_one() }
    }

    pub fn walk(&self, most: u16) -> BlockWalk {
        match self.max_id() {
            Some(max) => self.blind_walk(most).with_max_id(max),
            None => self.blind_walk(most),
        }
    }

    fn max_id(&self) -> Option<ValueNumber> {
        self.own.is_gapless().then(|| self.table(false).last(0, self.limit)).flatten()
    }

    pub fn observe(&self, found: Found) -> Observation {
        let Self { next, limit, .. } = *self;
        Observation { next, limit, max_id: self.max_id(), ids: Ids::Walked(found), far_count: None, known_next: None }
    }

    pub fn judge(&self, exact: bool) -> Decision {
        let (found, _) = walk(&self.table(exact), self.walk(200));
        decide(&self.observe(found), &self.terms(), &Wishes::default())
    }

    pub fn is_taken(&self, value: ValueNumber) -> bool {
        self.rows.has(self.own.id(value))
    }

    /// The end of the run of taken values from the next one on; none where it is free, or no end is found in 10 000.
    fn run(&self) -> Option<ValueNumber> {
        let free = (self.next..self.next + 10_000).find(|value| *value > self.limit || !self.is_taken(*value))?;
        (free > self.next).then_some(free - 1)
    }
}

/// What holds for every judgement of every table.
fn check(world: &World, exact: bool) -> Result<(), TestCaseError> {
    let decision = world.judge(exact);
    let terms = world.terms();
    let max_known = world.own.is_gapless();
    match decision {
        Decision::Repair { repair: Repair { past, charged, .. }, rest } => {
            prop_assert!(past >= world.next && past < world.limit, "moves forward, and leaves a value: {decision:?}");
            prop_assert!(charged <= u128::try_from(terms.allowance).unwrap(), "{decision:?} of {terms:?}");
            let fails = world.is_taken(past + 1);
            prop_assert!(!fails || rest.is_some() || (!max_known && past + 1 == world.limit), "{decision:?}");
            if exact && max_known {
                let ids = world.table(true).count(world.next, past);
                let burnt = past + 1 - world.next - ids;
                // A dense stretch holds at least 3 of 32.
                prop_assert!(burnt <= i128::try_from(charged).unwrap() + ids * 29 / 3, "{burnt} burnt: {decision:?}");
            }
        }
        Decision::Held(Hold::Limit { .. }) => {}
        Decision::Held(hold) => {
            prop_assert!(!world.is_taken(world.next), "an insert fails and the sequence is held: {hold:?}");
        }
        Decision::InSync { looked_to, .. } => {
            let to = looked_to.unwrap_or(world.limit);
            prop_assert_eq!(world.table(false).first(world.next, to), None);
            prop_assert!(to >= world.limit.min(world.next + terms.soon - 1));
        }
        Decision::Exhausted => prop_assert!(world.next > world.limit),
    }
    if let Some(end) = world.run().filter(|end| *end < world.limit - 1) {
        let passed = matches!(decision, Decision::Repair { repair, .. } if repair.past >= end);
        // Up to the limit a few free values may go unseen between the values drawn.
        let full = !exact && matches!(decision, Decision::Held(Hold::Limit { .. })) && {
            let left = world.limit + 1 - world.next;
            world.table(true).count(world.next, world.limit) * 4 > left * 3
        };
        prop_assert!(passed || full, "ids at the next value up to {end} are not passed: {decision:?}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_judgement_moves_forward_stays_within_its_allowance_and_lets_the_next_insert_pass(
        world in world(&[1, -1]), exact: bool,
    ) {
        check(&world, exact)?;
    }

    #[test]
    fn a_known_max_id_changes_nothing_also_where_ids_were_inserted_since(
        world in world(&[1, -1]), since in prop_oneof![Just(0_i128), 0..2000_i128],
    ) {
        let table = world.table(true);
        let blind = walk(&table, world.blind_walk(200)).0;
        let max_id = world.max_id().unwrap_or(world.next) - since;
        prop_assert_eq!(walk(&table, world.blind_walk(200).with_max_id(max_id)).0, blind);
    }

    #[test]
    fn the_size_of_a_statement_changes_nothing(world in world(&[1, -1]), most in 1_u16..4) {
        let whole = walk(&world.table(false), world.walk(200)).0;
        let mut small = world.walk(most);
        let mut dense = world.next - 1;
        while let Progress::Ask(question) = small.progress() {
            let known = small.dense_so_far().unwrap_or(dense);
            prop_assert!(known >= dense, "the dense beginning grows");
            dense = known;
            small.answer(answer(&world.table(false), &question)).unwrap();
        }
        prop_assert_eq!(small.progress(), Progress::Done(whole));
        let decision = decide(&world.observe(whole), &world.terms(), &Wishes::default());
        match decision {
            Decision::Repair { rest: Some(Hold::Limit { .. }), .. } | Decision::Held(Hold::Limit { .. }) => {}
            Decision::Repair { repair, .. } => prop_assert!(repair.past >= dense, "{decision:?}"),
            _ => prop_assert!(dense < world.next, "{decision:?}"),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_holds_in_a_residue_class_beside_the_ids_of_others(world in world(&[10, -10, 3, 50])) {
        check(&world, false)?;
    }
}
