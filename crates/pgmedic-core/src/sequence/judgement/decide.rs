//! From what was observed to what is done.

use std::time::Duration;

use super::walk::early_needs;
use super::{Decision, Found, Hold, Repair, RepairKind, Terms, ValueNumber};

/// What was observed of a sequence. All ids are value numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Observation {
    /// What `nextval` would return.
    pub next: ValueNumber,
    /// The last value that can be used.
    pub limit: ValueNumber,
    /// The furthest own id up to the limit; none where there is none, or where it was not looked for.
    pub max_id: Option<ValueNumber>,
    /// The ids at or beyond the next value.
    pub ids: Ids,
    /// How many they are, where they were counted.
    pub far_count: Option<u64>,
    /// The furthest next value that memory knows.
    pub known_next: Option<ValueNumber>,
}

/// How the ids at or beyond the next value were looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ids {
    /// There is none: `max_id` lies before the next value, and no walk was needed.
    NoneAhead,
    /// The block was walked.
    Walked(Found),
    /// `max_id` alone: no index can find a block.
    NoIndex,
    /// `max_id` alone: the column is only a part of a longer unique key.
    PartOfKey,
    /// `max_id` alone: no unique index makes an insert fail.
    NoUniqueKey,
}

/// What is wanted of this judgement.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Wishes {
    /// A person approved this sequence's repair, for this run.
    pub approved: bool,
    /// The sequence feeds a declared session store: no id may be handed out twice.
    pub session_store: bool,
    /// Values handed out a second, where it is known.
    pub pace: Option<f64>,
}

/// Judges one sequence.
///
/// Privileges are not looked at here. It never moves a sequence
/// back, and without approval never burns more than the terms allow.
#[must_use]
pub fn decide(seen: &Observation, terms: &Terms, wishes: &Wishes) -> Decision {
    if seen.next > seen.limit {
        return Decision::Exhausted;
    }
    let judged = Judged { seen, terms, wishes };
    let Some(ordinary) = judged.by_ids() else { return judged.nothing_ahead() };
    let reached = match ordinary {
        Decision::Repair { repair, .. } => Some(repair.past),
        _ => None,
    };
    if let Some(known) = judged.known_beyond(reached) {
        return known;
    }
    judged.approved(&ordinary).unwrap_or(ordinary)
}

struct Judged<'a> {
    seen: &'a Observation,
    terms: &'a Terms,
    wishes: &'a Wishes,
}

impl Judged<'_> {
    /// No own id is ahead: in sync, or back to a known next value.
    fn nothing_ahead(&self) -> Decision {
        let looked_to = match self.seen.ids {
            Ids::Walked(Found::Nothing { up_to }) if up_to < self.seen.limit => Some(up_to),
            _ => None,
        };
        match self.known() {
            Some(known) if self.wishes.approved || self.wishes.session_store => self.back_to(known),
            known => Decision::InSync { rewound: known.map(|known| known - self.seen.next), looked_to },
        }
    }

    /// What the ids ahead ask for; none where no own id is ahead.
    fn by_ids(&self) -> Option<Decision> {
        let lag = || self.seen.max_id.map(|max_id| max_id - self.seen.next + 1).filter(|lag| *lag > 0);
        Some(match self.seen.ids {
            Ids::NoneAhead => return None,
            // Own ids were looked for one by one, and the furthest is known to lie beyond the last that was looked at.
            Ids::Walked(Found::Nothing { up_to }) => {
                Decision::Held(self.far_ids(self.seen.max_id.filter(|max_id| *max_id > up_to)?))
            }
            Ids::Walked(Found::NotWalked { nearest }) => Decision::Held(self.not_walked(nearest)),
            Ids::Walked(Found::Block { nearest, end, charged, ids }) => self.block(nearest, end, charged, ids),
            Ids::Walked(Found::Cut { nearest, dense_end, thin }) => {
                let rest = Hold::Thin { part: thin, allowance: self.terms.allowance };
                self.repair(dense_end, nearest - self.seen.next, RepairKind::Soon, Some(rest))
            }
            Ids::Walked(Found::Full { nearest, solid_end }) => {
                let limit = self.seen.limit;
                let hold = Hold::Limit { past: self.seen.max_id.unwrap_or(limit - 1), limit };
                let Some(end) = solid_end else { return Some(Decision::Held(hold)) };
                let rest = (end < limit - 1).then_some(hold);
                self.repair(end, nearest - self.seen.next, RepairKind::Soon, rest)
            }
            Ids::NoIndex => self.by_max_id(Hold::NoIndex { lag: lag()? }, lag()?),
            Ids::PartOfKey => self.by_max_id(Hold::NoUniqueKey { lag: lag()? }, lag()?),
            Ids::NoUniqueKey => Decision::Held(Hold::NoUniqueKey { lag: lag()? }),
        })
    }

    fn not_walked(&self, nearest: ValueNumber) -> Hold {
        let gap = nearest - self.seen.next;
        let allowance = self.terms.allowance;
        if gap >= self.terms.soon {
            self.far_ids(nearest)
        } else if gap > allowance {
            Hold::Budget { gap, allowance, due: self.due(gap) }
        } else {
            Hold::Limit { past: nearest, limit: self.seen.limit }
        }
    }

    /// A block is passed where it is soon met, and early where it holds enough ids.
    fn block(&self, nearest: ValueNumber, end: ValueNumber, charged: i128, ids: Option<u64>) -> Decision {
        let gap = nearest - self.seen.next;
        let charge = gap + charged;
        if gap < self.terms.soon {
            return self.repair(end, charge, RepairKind::Soon, None);
        }
        let enough = ids.is_some_and(|ids| ids >= early_needs(gap));
        if enough && gap <= self.terms.early && charge <= self.terms.allowance {
            return self.repair(end, charge, RepairKind::Early, None);
        }
        Decision::Held(self.far_ids(nearest))
    }

    /// Without a walk every value up to the furthest id is charged, as none of them is known to be taken.
    fn by_max_id(&self, hold: Hold, lag: i128) -> Decision {
        if lag > self.terms.step || lag > self.terms.allowance {
            return Decision::Held(hold);
        }
        self.repair(self.seen.next + lag - 1, lag, RepairKind::Soon, None)
    }

    /// A known next value beyond what the ids ask for, when own ids reach at least half as far. A session store is
    /// brought back however far they reach, as it would be once they are passed. A numbering without
    /// a unique key may start again at any time.
    fn known_beyond(&self, reached: Option<ValueNumber>) -> Option<Decision> {
        let known = self.known().filter(|_| !matches!(self.seen.ids, Ids::NoUniqueKey | Ids::PartOfKey))?;
        let half = self.seen.max_id.is_some_and(|max_id| max_id * 2 >= known);
        let further = reached.is_none_or(|reached| known - 1 > reached);
        (further && (half || self.wishes.session_store)).then(|| self.back_to(known))
    }

    /// What is held, or left in the way, is passed to its end when a person says so.
    fn approved(&self, ordinary: &Decision) -> Option<Decision> {
        let held = matches!(ordinary, Decision::Held(_) | Decision::Repair { rest: Some(_), .. });
        let max_id = self.seen.max_id.filter(|max_id| *max_id >= self.seen.next)?;
        (self.wishes.approved && held).then(|| self.repair(max_id, 0, RepairKind::Approved, None))
    }

    /// A known next value further than the present one, and not past the limit.
    fn known(&self) -> Option<ValueNumber> {
        self.seen.known_next.filter(|known| (self.seen.next + 1..=self.seen.limit).contains(known))
    }

    fn back_to(&self, known: ValueNumber) -> Decision {
        self.repair(known - 1, 0, RepairKind::Known, None)
    }

    /// A repair, unless it would leave no value that can be used.
    fn repair(&self, past: ValueNumber, charged: i128, kind: RepairKind, rest: Option<Hold>) -> Decision {
        let limit = self.seen.limit;
        if past >= limit || (past == limit - 1 && self.seen.max_id == Some(limit)) {
            return Decision::Held(Hold::Limit { past, limit });
        }
        Decision::Repair { repair: Repair { past, charged: u128::try_from(charged).unwrap_or(0), kind }, rest }
    }

    fn far_ids(&self, from: ValueNumber) -> Hold {
        let gap = from - self.seen.next;
        Hold::FarIds { gap, from, to: self.seen.max_id, count: self.seen.far_count, due: self.due(gap) }
    }

    fn due(&self, gap: i128) -> Option<Duration> {
        let pace = self.wishes.pace.filter(|pace| *pace > 0.0)?;
        Duration::try_from_secs_f64(gap as f64 / pace).ok()
    }
}
