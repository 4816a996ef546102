//! Ids of a table, held as ranges and patterns, so that 500 million of them cost nothing.

/// Ids in a pattern.
#[derive(Debug, Clone, Copy)]
pub enum Pattern {
    /// The first `run` ids of each `period`, from `from` to `to`.
    Runs { from: i128, to: i128, period: i128, run: i128 },
    /// One id at a random place in each of `cells` cells of `cell` values.
    Cells { from: i128, cells: i128, cell: i128 },
}

/// One id in each `step` values.
pub fn every(from: i128, to: i128, step: i128) -> Pattern {
    Pattern::Runs { from, to, period: step, run: 1 }
}

/// One id in each `cell` values from `from` to `to`, at a random place.
pub fn one_in(cell: i128, from: i128, to: i128) -> Pattern {
    Pattern::Cells { from, cells: (to - from + 1) / cell, cell }
}

impl Pattern {
    /// How many ids up to `id`.
    fn up_to(&self, id: i128) -> i128 {
        match *self {
            Self::Runs { from, to, period, run } => {
                let values = (id.min(to) - from + 1).max(0);
                values / period * run + (values % period).min(run)
            }
            Self::Cells { from, cells, cell } => {
                let values = (id - from + 1).clamp(0, cells * cell);
                let (whole, rest) = (values / cell, values % cell);
                whole + i128::from(rest > place(whole, cell))
            }
        }
    }

    fn count(&self, from: i128, to: i128) -> i128 {
        self.up_to(to) - self.up_to(from - 1)
    }

    /// The first id at or beyond `id`.
    fn next(&self, id: i128) -> Option<i128> {
        match *self {
            Self::Runs { from, to, period, run } => {
                let id = id.max(from);
                let inside = (id - from) % period;
                Some(if inside < run { id } else { id - inside + period }).filter(|id| *id <= to)
            }
            Self::Cells { from, cells, cell } => {
                let id = id.max(from);
                let nth = (id - from) / cell;
                let at = |nth: i128| from + nth * cell + place(nth, cell);
                [nth, nth + 1].into_iter().filter(|nth| *nth < cells).map(at).find(|at| *at >= id)
            }
        }
    }

    /// The last id at or before `id`.
    fn last(&self, id: i128) -> Option<i128> {
        match *self {
            Self::Runs { from, to, period, run } => {
                let id = id.min(to);
                let inside = (id - from).rem_euclid(period);
                Some(if inside < run { id } else { id - inside + run - 1 }).filter(|id| *id >= from)
            }
            Self::Cells { from, cells, cell } => {
                let nth = (id - from).div_euclid(cell).min(cells - 1);
                let at = |nth: i128| from + nth * cell + place(nth, cell);
                [nth, nth - 1].into_iter().filter(|nth| *nth >= 0).map(at).find(|at| *at <= id)
            }
        }
    }
}

/// Where in a cell its id lies.
fn place(nth: i128, cell: i128) -> i128 {
    let mixed = (nth as u64 ^ 0x5851_F42D_4C95_7F2D).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    i128::from((mixed ^ (mixed >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 16) % cell
}

/// A set of ids. Patterns must not overlap each other; ranges may overlap anything.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    /// Sorted, apart from each other.
    ranges: Vec<(i128, i128)>,
    patterns: Vec<Pattern>,
}

impl Rows {
    pub fn add(&mut self, from: i128, to: i128) {
        if from > to {
            return;
        }
        let first = self.ranges.partition_point(|range| range.1 < from - 1);
        let end = self.ranges.partition_point(|range| range.0 <= to + 1);
        let touched = &self.ranges[first..end];
        let low = touched.first().map_or(from, |range| range.0.min(from));
        let high = touched.last().map_or(to, |range| range.1.max(to));
        self.ranges.splice(first..end, [(low, high)]);
    }

    /// About one id in `one_in` from `from` to `to`, at random: clusters and holes included. One tenth as many cells as
    /// values, each with an id or, nine times in ten, without.
    pub fn scatter(&mut self, one_in: i128, from: i128, to: i128) {
        let cell = one_in / 10;
        for nth in (0..(to - from + 1) / cell).filter(|nth| place(*nth, 1_000_003) % 10 == 0) {
            let id = from + nth * cell + place(!nth, cell);
            self.add(id, id);
        }
    }

    pub fn add_pattern(&mut self, pattern: Pattern) {
        self.patterns.push(pattern);
    }

    pub fn absorb(&mut self, other: &Self) {
        other.ranges.iter().for_each(|range| self.add(range.0, range.1));
        self.patterns.extend(&other.patterns);
    }

    /// Takes ids out of the ranges; patterns stay.
    pub fn remove(&mut self, from: i128, to: i128) {
        let first = self.ranges.partition_point(|range| range.1 < from);
        let end = self.ranges.partition_point(|range| range.0 <= to);
        if first < end {
            let left = (self.ranges[first].0, from - 1);
            let right = (to + 1, self.ranges[end - 1].1);
            self.ranges.splice(first..end, [left, right].into_iter().filter(|range| range.0 <= range.1));
        }
    }

    /// Takes everything outside out of the ranges, and cuts the patterns.
    pub fn keep(&mut self, low: i128, high: i128) {
        self.remove(i128::MIN / 2, low - 1);
        self.remove(high + 1, i128::MAX / 2);
        self.patterns.retain_mut(|pattern| match pattern {
            Pattern::Runs { from, to, period, .. } => {
                *from += ((low - *from).max(0) + *period - 1) / *period * *period;
                *to = high.min(*to);
                from <= to
            }
            Pattern::Cells { .. } => true,
        });
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    pub fn count(&self, from: i128, to: i128) -> i128 {
        let mut count = 0;
        let mut at = from;
        let first = self.ranges.partition_point(|range| range.1 < from);
        for range in self.ranges[first..].iter().take_while(|range| range.0 <= to) {
            let (low, high) = (range.0.max(from), range.1.min(to));
            count += high - low + 1 + self.in_patterns(at, low - 1);
            at = high + 1;
        }
        count + self.in_patterns(at, to)
    }

    pub fn has(&self, id: i128) -> bool {
        self.next(id) == Some(id)
    }

    /// The first id at or beyond `id`.
    pub fn next(&self, id: i128) -> Option<i128> {
        let nth = self.ranges.partition_point(|range| range.1 < id);
        let ranged = self.ranges.get(nth).map(|range| range.0.max(id));
        self.patterns.iter().filter_map(|pattern| pattern.next(id)).chain(ranged).min()
    }

    /// The last id at or before `id`.
    pub fn last(&self, id: i128) -> Option<i128> {
        let nth = self.ranges.partition_point(|range| range.0 <= id);
        let ranged = nth.checked_sub(1).map(|nth| self.ranges[nth].1.min(id));
        self.patterns.iter().filter_map(|pattern| pattern.last(id)).chain(ranged).max()
    }

    fn in_patterns(&self, from: i128, to: i128) -> i128 {
        if from > to { 0 } else { self.patterns.iter().map(|pattern| pattern.count(from, to)).sum() }
    }
}

#[test]
fn patterns_and_ranges_count_as_a_set_of_ids_does() {
    let mut rows = Rows::default();
    rows.add_pattern(Pattern::Runs { from: 3, to: 60, period: 7, run: 3 });
    rows.add_pattern(one_in(10, 70, 129));
    rows.add(20, 40);
    rows.add(41, 50);
    rows.add(200, 210);
    rows.remove(204, 206);
    rows.remove(30, 33);
    let set: std::collections::BTreeSet<i128> = (0..=220).filter(|id| rows.has(*id)).collect();
    assert_eq!(rows.count(70, 129), 6);
    assert!(!set.contains(&205) && set.contains(&207) && set.contains(&4) && !set.contains(&6) && set.contains(&60));
    for from in 0..=220 {
        assert_eq!(rows.next(from), set.range(from..).next().copied(), "next {from}");
        assert_eq!(rows.last(from), set.range(..=from).next_back().copied(), "last {from}");
        for to in from..=220 {
            assert_eq!(rows.count(from, to), set.range(from..=to).count() as i128, "{from} to {to}");
        }
    }
}
