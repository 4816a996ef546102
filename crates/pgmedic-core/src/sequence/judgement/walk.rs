//! The block: what a sequence would run into.
//!
//! From the nearest id the last id within a step is reached, again and again. A dense stretch is passed free of charge,
//! a thin one is charged, and the block ends before a stretch that is neither, or where no id follows within the step.

use super::chain::{Chain, Next};
use super::{Answer, AnswerError, Draws, FewIds, Question, Stretch, Terms, ValueNumber};

/// A block that is further away than `soon` is passed early when it holds one id for every so many values before it.
const EARLY: i128 = 5000;
/// Own ids of a residue class that one statement looks for, one by one: some 12 ms.
const MOST_ONE_BY_ONE: i128 = 5000;
/// Where the max id is nearer than so many values, one statement looks at all ids.
const FEW: u32 = 1000;
/// Stretches that one statement looks at.
const MOST_STRETCHES: u16 = 200;

/// Finds the block by asking [`Question`]s. It may be asked on for as long as a pass lasts: what is inserted or repaired
/// meanwhile takes nothing back, because a block only grows and a sequence only moves forward.
///
/// See the module's example.
#[derive(Debug, Clone)]
pub struct BlockWalk {
    next: ValueNumber,
    limit: ValueNumber,
    terms: Terms,
    draws: Draws,
    nearest_within: ValueNumber,
    /// Values that one statement looks at for the nearest id.
    look: Option<i128>,
    most: u16,
    phase: Phase,
}

/// What a walk wants: an answer, or nothing more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// To be answered by [`BlockWalk::answer`].
    Ask(Question),
    /// The walk is over.
    Done(Found),
}

/// What a walk found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No taken id from the next value up to this one.
    Nothing {
        /// The last value that was looked at: the limit, or less where own ids are looked for one by one.
        up_to: ValueNumber,
    },
    /// The nearest id alone: it is too far away for a repair, too far for what is left to spend, or at the limit.
    NotWalked {
        /// The nearest id.
        nearest: ValueNumber,
    },
    /// The whole block, within the allowance.
    Block {
        /// Its first id.
        nearest: ValueNumber,
        /// Its last id.
        end: ValueNumber,
        /// Values in its thin stretches.
        charged: i128,
        /// Ids in it, counted up to what an early pass needs, and only where the block is not met soon.
        ids: Option<u64>,
    },
    /// A block whose thin stretches exceed the allowance.
    Cut {
        /// Its first id.
        nearest: ValueNumber,
        /// The last id of its dense beginning.
        dense_end: ValueNumber,
        /// Its first thin stretch.
        thin: ThinPart,
    },
    /// A block that reaches the limit: passed whole it would leave nothing.
    Full {
        /// Its first id.
        nearest: ValueNumber,
        /// The last id of its solid beginning, where all values looked at are taken; looked for only where the next
        /// insert fails.
        solid_end: Option<ValueNumber>,
    },
}

/// A thin stretch: one insert in about `drawn` / `taken` meets a taken id in it, or in 33 to 1 000 where `taken` is 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThinPart {
    /// The taken id before it.
    pub after: ValueNumber,
    /// The taken id at its end.
    pub last: ValueNumber,
    /// Values of it that were looked at.
    pub drawn: u32,
    /// How many of them are taken.
    pub taken: u32,
}

#[derive(Debug, Clone)]
enum Phase {
    /// The max id is near: all ids up to a step beyond it.
    Few {
        from: ValueNumber,
        up_to: ValueNumber,
    },
    /// No id was found before this value.
    Nearest {
        from: ValueNumber,
    },
    Chain(Chain),
    Count {
        nearest: ValueNumber,
        end: ValueNumber,
        charged: i128,
    },
    Done(Found),
}

impl BlockWalk {
    /// A walk from value number `next` on, for a sequence whose last usable value is number `limit`. Begin one only where
    /// the furthest id is at or beyond the next value: a healthy sequence costs no question.
    #[must_use]
    pub fn new(next: ValueNumber, limit: ValueNumber, terms: Terms, draws: Draws) -> Self {
        let phase =
            if next > limit { Phase::Done(Found::Nothing { up_to: limit }) } else { Phase::Nearest { from: next } };
        Self { next, limit, terms, draws, nearest_within: limit, look: None, most: MOST_STRETCHES, phase }
    }

    /// For a residue class: its own ids cannot be told from others' by a range, so they are looked for one by one, no
    /// further than `soon` at a time.
    #[must_use]
    pub fn one_by_one(mut self) -> Self {
        self.nearest_within = self.limit.min(self.next + self.terms.soon - 1);
        self.terms.step = self.terms.step.min(self.terms.soon);
        self.look = Some(MOST_ONE_BY_ONE);
        self
    }

    /// The max id is value number `max`: where it is near, one statement shows the whole block. Not for a residue class, nor where
    /// the ids are read in several statements.
    #[must_use]
    pub fn with_max_id(mut self, max: ValueNumber) -> Self {
        let few = i128::from(FEW);
        if matches!(self.phase, Phase::Nearest { .. }) && self.look.is_none() && max - self.next < few {
            let up_to = self.limit.min(self.next + few - 1 + self.terms.step);
            self.phase = Phase::Few { from: self.next, up_to };
        }
        self
    }

    /// Other sessions have moved the sequence on to value number `next`: how far away an id is counts from there.
    pub fn moved_on(&mut self, next: ValueNumber) {
        self.next = self.next.max(next);
    }

    /// At most so many stretches in one statement, at least 1; 200 unless told otherwise.
    #[must_use]
    pub fn most_stretches(mut self, most: u16) -> Self {
        self.most = most.max(1);
        self
    }

    /// The next question, or what was found.
    #[must_use]
    pub fn progress(&self) -> Progress {
        match &self.phase {
            Phase::Few { from, up_to } => {
                Progress::Ask(Question::Few { from: *from, up_to: *up_to, most: u64::from(FEW) })
            }
            Phase::Nearest { from } => Progress::Ask(Question::Nearest { from: *from, up_to: self.look_up_to(*from) }),
            Phase::Chain(chain) => Progress::Ask(chain.question(self.most, self.draws)),
            Phase::Count { nearest, end, .. } => {
                Progress::Ask(Question::Count { from: *nearest, up_to: *end, most: self.early_needs(*nearest) })
            }
            Phase::Done(found) => Progress::Done(*found),
        }
    }

    /// Takes the answer to the last question.
    ///
    /// # Errors
    ///
    /// When it does not belong to that question. The walk then stands where it stood.
    pub fn answer(&mut self, answer: Answer) -> Result<(), AnswerError> {
        self.phase = match (&self.phase, answer) {
            (Phase::Few { from, up_to }, Answer::Few(few)) => self.all_ids(*from, *up_to, few)?,
            (Phase::Nearest { from }, Answer::Nearest(nearest)) => self.begin(*from, nearest)?,
            (Phase::Chain(chain), Answer::Stretches(stretches)) => {
                let mut chain = chain.clone();
                let next = chain.stretches(&stretches, self.most)?;
                self.after(chain, next)
            }
            (Phase::Chain(chain), Answer::Scales(scales)) => {
                let mut chain = chain.clone();
                let next = chain.scales(&scales)?;
                self.after(chain, next)
            }
            (Phase::Count { nearest, end, charged }, Answer::Count(ids)) => {
                Phase::Done(Found::Block { nearest: *nearest, end: *end, charged: *charged, ids: Some(ids) })
            }
            _ => return Err(AnswerError::OtherQuestion),
        };
        Ok(())
    }

    /// The last id of the dense beginning, as far as it was walked. A repair past it can be made at once, charged with
    /// the free values before the nearest id, while the walk goes on; none where a repair has to wait for the end of it.
    #[must_use]
    pub fn dense_so_far(&self) -> Option<ValueNumber> {
        match &self.phase {
            Phase::Chain(chain) if self.is_soon(chain.nearest()) => chain.dense_end(),
            _ => None,
        }
    }

    /// What is known while the walk goes on: the dense beginning of a block that is soon met, or the nearest id of another.
    #[must_use]
    pub fn so_far(&self) -> Option<Found> {
        let Phase::Chain(chain) = &self.phase else { return None };
        let nearest = chain.nearest();
        if !self.is_soon(nearest) {
            return Some(Found::NotWalked { nearest });
        }
        chain.dense_end().map(|end| Found::Block { nearest, end, charged: 0, ids: None })
    }

    fn is_soon(&self, nearest: ValueNumber) -> bool {
        nearest - self.next < self.terms.soon
    }

    /// Ids that a block so far away must hold to be passed early.
    fn early_needs(&self, nearest: ValueNumber) -> u64 {
        early_needs(nearest - self.next)
    }

    fn look_up_to(&self, from: ValueNumber) -> ValueNumber {
        self.look.map_or(self.nearest_within, |look| self.nearest_within.min(from + look - 1))
    }

    /// Takes all ids ahead, where they are few; else the walk begins with the nearest.
    fn all_ids(&self, from: ValueNumber, up_to: ValueNumber, few: Option<FewIds>) -> Result<Phase, AnswerError> {
        let Some(FewIds { ends: Some((nearest, last)), taken }) = few else {
            return Ok(Phase::Nearest { from });
        };
        if nearest > last || last > up_to {
            return Err(AnswerError::OutOfRange);
        }
        let phase = self.begin(from, Some(nearest))?;
        // What follows within a step of the last id was looked at too.
        let whole = last + self.terms.step <= up_to || up_to == self.limit;
        match phase {
            Phase::Chain(mut chain) if whole && last < self.limit && last - nearest <= self.terms.step => {
                let stretch = (last > nearest).then(|| Stretch::counted(nearest, last, taken.saturating_sub(1)));
                let next = chain.stretches(stretch.as_slice(), 2)?;
                Ok(self.after(chain, next))
            }
            phase => Ok(phase),
        }
    }

    fn begin(&self, from: ValueNumber, nearest: Option<ValueNumber>) -> Result<Phase, AnswerError> {
        let looked_to = self.look_up_to(from);
        let Some(nearest) = nearest else {
            return Ok(if looked_to < self.nearest_within {
                Phase::Nearest { from: looked_to + 1 }
            } else {
                Phase::Done(Found::Nothing { up_to: self.nearest_within })
            });
        };
        if nearest < from || nearest > looked_to {
            return Err(AnswerError::OutOfRange);
        }
        if nearest < self.next {
            // Other sessions have moved the sequence on since a part of the ids was read.
            return Ok(Phase::Nearest { from: self.next });
        }
        let gap = nearest - self.next;
        let reachable = self.is_soon(nearest) || gap <= self.terms.early;
        // Past an id at the limit there is nothing to go to.
        if !reachable || gap > self.terms.allowance || nearest >= self.limit {
            return Ok(Phase::Done(Found::NotWalked { nearest }));
        }
        let budget = self.terms.allowance - gap;
        Ok(Phase::Chain(Chain::new(nearest, self.limit - 1, self.terms.step, budget, self.is_soon(nearest))))
    }

    fn after(&self, mut chain: Chain, next: Next) -> Phase {
        let nearest = chain.nearest();
        let soon = self.is_soon(nearest);
        match next {
            Next::More => Phase::Chain(chain),
            Next::TooThin => Phase::Done(Found::NotWalked { nearest }),
            Next::Solid { end } => Phase::Done(Found::Full { nearest, solid_end: Some(end) }),
            _ if chain.is_full() && nearest == self.next => {
                chain.seek_solid();
                Phase::Chain(chain)
            }
            _ if chain.is_full() && soon => Phase::Done(Found::Full { nearest, solid_end: None }),
            _ if chain.is_full() => Phase::Done(Found::NotWalked { nearest }),
            Next::Ended { end, charged } if soon => Phase::Done(Found::Block { nearest, end, charged, ids: None }),
            Next::Ended { end, charged } => Phase::Count { nearest, end, charged },
            Next::Cut { dense_end, thin } => Phase::Done(Found::Cut { nearest, dense_end, thin }),
        }
    }
}

/// Ids that a block `gap` values away must hold to be passed early: one for every 5 000 values.
pub(super) fn early_needs(gap: i128) -> u64 {
    u64::try_from((gap + EARLY - 1) / EARLY).unwrap_or(u64::MAX)
}

impl ThinPart {
    pub(super) fn new(after: ValueNumber, stretch: &Stretch) -> Self {
        Self { after, last: stretch.last, drawn: stretch.drawn, taken: stretch.taken }
    }
}
