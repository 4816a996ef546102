//! Answers a walk's questions as a server would, with the same few kinds of probes.

use super::super::{Answer, BlockWalk, Draws, Found, Progress, Question, Stretch, ValueNumber, thin_needs};

/// What a server can be asked about taken own values, by value number.
pub trait Probes {
    /// `min(id)` with a range.
    fn first(&self, from: ValueNumber, up_to: ValueNumber) -> Option<ValueNumber>;
    /// `max(id)` with a range.
    fn last(&self, from: ValueNumber, up_to: ValueNumber) -> Option<ValueNumber>;
    /// `EXISTS`.
    fn has(&self, value: ValueNumber) -> bool;
    /// A count with a LIMIT.
    fn count(&self, from: ValueNumber, up_to: ValueNumber, most: u64) -> u64;
}

pub fn answer(probes: &impl Probes, question: &Question) -> Answer {
    match question {
        Question::Nearest { from, up_to } => Answer::Nearest(probes.first(*from, *up_to)),
        Question::Stretches { after, up_to, step, most, draws } => {
            let mut stretches: Vec<Stretch> = Vec::new();
            let mut after = *after;
            while stretches.len() < usize::from(*most) {
                let Some(stretch) = stretch(probes, after, *up_to, *step, draws) else { break };
                stretches.push(stretch);
                after = stretch.last;
                if !stretch.is_dense() && !stretch.thin {
                    break;
                }
            }
            Answer::Stretches(stretches)
        }
        Question::Scales { after, up_to, steps, draws } => {
            Answer::Scales(steps.iter().map(|step| stretch(probes, *after, *up_to, *step, draws)).collect())
        }
        Question::Count { from, up_to, most } => Answer::Count(probes.count(*from, *up_to, *most)),
    }
}

fn stretch(probes: &impl Probes, after: i128, up_to: i128, step: i128, draws: &Draws) -> Option<Stretch> {
    let last = probes.last(after + 1, up_to.min(after + step))?;
    let mut stretch = Stretch { last, drawn: 0, taken: 0, thin: false };
    for value in draws.values(after, last) {
        stretch.drawn += 1;
        stretch.taken += u32::from(probes.has(value));
    }
    let needs = thin_needs(last - after);
    stretch.thin = !stretch.is_dense() && probes.count(after + 1, last, needs) >= needs;
    Some(stretch)
}

/// Walks to the end; tells how many questions it took.
pub fn walk(probes: &impl Probes, mut walk: BlockWalk) -> (Found, usize) {
    for questions in 0.. {
        match walk.progress() {
            Progress::Done(found) => return (found, questions),
            Progress::Ask(question) => walk.answer(answer(probes, &question)).expect("the answer is right"),
        }
    }
    unreachable!("a walk ends")
}
