//! Answers a walk's questions as a server would, with the same few kinds of probes.

use super::super::thin_needs;
use super::super::{Answer, BlockWalk, Draws, FewIds, Found, Numbering, Progress, Question, Stretch, ValueNumber};
use super::rows::Rows;

/// A table and the sequence that feeds it, as a server can be asked about them.
pub struct Table<'a> {
    pub rows: &'a Rows,
    pub own: Numbering,
    /// How many of the values looked at are taken is told from the whole stretch, not left to chance.
    pub exact: bool,
}

impl Table<'_> {
    /// `min(id)`, or `max(id)` for a descending sequence, with a range; a residue class looks for its own ids one by one.
    pub fn first(&self, from: ValueNumber, up_to: ValueNumber) -> Option<ValueNumber> {
        if !self.own.is_gapless() {
            return (from..=up_to).find(|value| self.has(*value));
        }
        let (from, up_to) = (self.own.id(from), self.own.id(up_to));
        let id = if from <= up_to { self.rows.next(from) } else { self.rows.last(from) };
        id.filter(|id| (from.min(up_to)..=from.max(up_to)).contains(id)).and_then(|id| self.own.number(id))
    }

    /// The other way round.
    pub fn last(&self, from: ValueNumber, up_to: ValueNumber) -> Option<ValueNumber> {
        if from > up_to {
            return None;
        }
        if !self.own.is_gapless() {
            return (from..=up_to).rev().find(|value| self.has(*value));
        }
        let (low, high) = (self.own.id(from).min(self.own.id(up_to)), self.own.id(from).max(self.own.id(up_to)));
        let id = if self.own.id(0) < self.own.id(1) { self.rows.last(high) } else { self.rows.next(low) };
        id.filter(|id| (low..=high).contains(id)).and_then(|id| self.own.number(id))
    }

    /// `EXISTS`.
    pub fn has(&self, value: ValueNumber) -> bool {
        self.rows.has(self.own.id(value))
    }

    pub fn count(&self, from: ValueNumber, up_to: ValueNumber) -> i128 {
        if !self.own.is_gapless() {
            return (from..=up_to).filter(|value| self.has(*value)).count() as i128;
        }
        let (from, up_to) = (self.own.id(from), self.own.id(up_to));
        self.rows.count(from.min(up_to), from.max(up_to))
    }

    /// A count with a LIMIT.
    fn count_most(&self, from: ValueNumber, up_to: ValueNumber, most: u64) -> u64 {
        u64::try_from(self.count(from, up_to)).unwrap().min(most)
    }

    /// How many values were looked at, and how many of them are taken.
    fn draw(&self, draws: &Draws, after: ValueNumber, last: ValueNumber) -> (u32, u32) {
        if self.exact {
            let length = last - after;
            let drawn = length.min(32);
            let taken = self.count(after + 1, last) * drawn / length;
            return (u32::try_from(drawn).unwrap(), u32::try_from(taken).unwrap());
        }
        draws.values(after, last).fold((0, 0), |(drawn, taken), value| (drawn + 1, taken + u32::from(self.has(value))))
    }
}

pub fn answer(table: &Table, question: &Question) -> Answer {
    match question {
        Question::Nearest { from, up_to } => Answer::Nearest(table.first(*from, *up_to)),
        Question::Few { from, up_to, most } => {
            let taken = table.count_most(*from, *up_to, *most + 1);
            let ends = table.first(*from, *up_to).zip(table.last(*from, *up_to));
            Answer::Few((taken <= *most).then_some(FewIds { ends, taken }))
        }
        Question::Stretches { after, up_to, step, most, draws } => {
            let mut stretches: Vec<Stretch> = Vec::new();
            let mut after = *after;
            while stretches.len() < usize::from(*most) {
                let Some(stretch) = stretch(table, after, *up_to, *step, draws) else { break };
                stretches.push(stretch);
                after = stretch.last;
                if !stretch.is_dense() && !stretch.thin {
                    break;
                }
            }
            Answer::Stretches(stretches)
        }
        Question::Scales { after, up_to, steps, draws } => {
            Answer::Scales(steps.iter().map(|step| stretch(table, *after, *up_to, *step, draws)).collect())
        }
        Question::Lasts { after, up_to, steps } => {
            Answer::Lasts(steps.iter().map(|step| table.last(after + 1, *up_to.min(&(after + step)))).collect())
        }
        Question::Taken { after, lasts, draws } => {
            let taken = lasts.iter().map(|last| {
                let bit = |(place, value): (usize, ValueNumber)| u32::from(table.has(value)) << place;
                let mask = draws.values(*after, *last).enumerate().map(bit).sum();
                (mask, table.count_most(after + 1, *last, thin_needs(last - after)))
            });
            Answer::Taken(taken.collect())
        }
        Question::Count { from, up_to, most } => Answer::Count(table.count_most(*from, *up_to, *most)),
    }
}

fn stretch(table: &Table, after: i128, up_to: i128, step: i128, draws: &Draws) -> Option<Stretch> {
    let last = table.last(after + 1, up_to.min(after + step))?;
    let (drawn, taken) = table.draw(draws, after, last);
    let needs = thin_needs(last - after);
    let mut stretch = Stretch { last, drawn, taken, thin: false };
    stretch.thin = !stretch.is_dense() && table.count_most(after + 1, last, needs) >= needs;
    Some(stretch)
}

/// Walks to the end; tells how many questions it took.
pub fn walk(table: &Table, mut walk: BlockWalk) -> (Found, usize) {
    for questions in 0.. {
        match walk.progress() {
            Progress::Done(found) => return (found, questions),
            Progress::Ask(question) => walk.answer(answer(table, &question)).expect("the answer is right"),
        }
    }
    unreachable!("a walk ends")
}
