//! The chain of stretches that a block is made of.

use super::{AnswerError, Draws, Question, Stretch, ThinPart, ValueNumber};

/// A block as far as it was walked.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    nearest: ValueNumber,
    /// No stretch ends beyond.
    up_to: ValueNumber,
    step: i128,
    /// What thin stretches may cost.
    budget: i128,
    /// Whether a dense beginning alone is worth finding.
    soon: bool,
    /// The last id reached.
    at: ValueNumber,
    charged: i128,
    /// The last id before the first thin stretch.
    dense_end: ValueNumber,
    thin: Option<ThinPart>,
    mode: Mode,
}

/// How the chain goes on.
#[derive(Debug, Clone, Copy)]
enum Mode {
    /// Over dense and thin stretches.
    Whole,
    /// Over stretches that the goal asks for alone, with shorter steps where a whole one is not such.
    Edge { goal: Goal, shorter: bool },
}

/// What an edge is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Goal {
    /// The end of the block: dense.
    Tail,
    /// Its dense beginning, as the allowance does not reach further.
    Beginning,
    /// Its solid beginning, all values looked at taken, as the block reaches the limit.
    Solid,
}

/// What an answer leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    More,
    Ended {
        end: ValueNumber,
        charged: i128,
    },
    Cut {
        dense_end: ValueNumber,
        thin: ThinPart,
    },
    /// The solid beginning of a block that reaches the limit.
    Solid {
        end: ValueNumber,
    },
    /// The thin stretches exceed what may be spent, and the dense beginning is not wanted.
    TooThin,
}

impl Chain {
    pub(super) fn new(nearest: ValueNumber, up_to: ValueNumber, step: i128, budget: i128, soon: bool) -> Self {
        let mode = Mode::Whole;
        Self { nearest, up_to, step, budget, soon, at: nearest, charged: 0, dense_end: nearest, thin: None, mode }
    }

    pub(super) fn nearest(&self) -> ValueNumber {
        self.nearest
    }

    /// None while less than the dense beginning is looked for.
    pub(super) fn dense_end(&self) -> Option<ValueNumber> {
        (!matches!(self.mode, Mode::Edge { goal: Goal::Solid, .. })).then_some(self.dense_end)
    }

    /// Whether the block reaches the limit: no value is left beyond it.
    pub(super) fn is_full(&self) -> bool {
        self.at >= self.up_to
    }

    /// Looks for the solid beginning, from the nearest id on.
    pub(super) fn seek_solid(&mut self) {
        self.at = self.nearest;
        self.mode = Mode::Edge { goal: Goal::Solid, shorter: false };
    }

    pub(super) fn question(&self, most: u16, draws: Draws) -> Question {
        let Self { at: after, up_to, step, .. } = *self;
        match self.mode {
            Mode::Edge { shorter: true, .. } => Question::Scales { after, up_to, steps: self.shorter_steps(), draws },
            _ => Question::Stretches { after, up_to, step, most, draws },
        }
    }

    pub(super) fn stretches(&mut self, stretches: &[Stretch], most: u16) -> Result<Next, AnswerError> {
        if matches!(self.mode, Mode::Edge { shorter: true, .. }) {
            return Err(AnswerError::OtherQuestion);
        }
        if stretches.len() > usize::from(most) {
            return Err(AnswerError::WrongCount);
        }
        let mut after = self.at;
        for stretch in stretches {
            self.check(after, stretch, self.step)?;
            after = stretch.last;
        }
        for stretch in stretches {
            if let Some(next) = self.take(stretch) {
                return Ok(next);
            }
        }
        Ok(if stretches.len() < usize::from(most) { self.ended() } else { Next::More })
    }

    pub(super) fn scales(&mut self, scales: &[Option<Stretch>]) -> Result<Next, AnswerError> {
        let Mode::Edge { goal, shorter: true } = self.mode else { return Err(AnswerError::OtherQuestion) };
        let steps = self.shorter_steps();
        if scales.len() != steps.len() {
            return Err(AnswerError::WrongCount);
        }
        for (stretch, step) in scales.iter().zip(steps) {
            if let Some(stretch) = stretch {
                self.check(self.at, stretch, step)?;
            }
        }
        match scales.iter().flatten().find(|stretch| goal.takes(stretch)) {
            Some(stretch) => {
                self.reach(stretch.last);
                self.mode = Mode::Edge { goal, shorter: false };
                Ok(Next::More)
            }
            None => Ok(self.ended()),
        }
    }

    /// Goes over one stretch; what comes next where the chain does not simply go on.
    fn take(&mut self, stretch: &Stretch) -> Option<Next> {
        let length = stretch.last - self.at;
        match self.mode {
            Mode::Edge { goal, .. } if goal.takes(stretch) => self.reach(stretch.last),
            Mode::Edge { goal, .. } => return Some(self.look_closer(goal)),
            Mode::Whole if stretch.is_dense() => self.reach(stretch.last),
            Mode::Whole if !stretch.thin => return Some(self.look_closer(Goal::Tail)),
            Mode::Whole => {
                self.thin.get_or_insert(ThinPart::new(self.at, stretch));
                if self.charged + length > self.budget {
                    return Some(self.cut());
                }
                self.charged += length;
                self.at = stretch.last;
            }
        }
        None
    }

    fn reach(&mut self, last: ValueNumber) {
        self.at = last;
        if self.thin.is_none() || matches!(self.mode, Mode::Edge { goal: Goal::Beginning, .. }) {
            self.dense_end = last;
        }
    }

    /// The allowance does not reach: back to the dense beginning.
    fn cut(&mut self) -> Next {
        if !self.soon {
            return Next::TooThin;
        }
        self.at = self.dense_end;
        self.look_closer(Goal::Beginning)
    }

    fn look_closer(&mut self, goal: Goal) -> Next {
        self.mode = Mode::Edge { goal, shorter: true };
        if self.shorter_steps().is_empty() { self.ended() } else { Next::More }
    }

    fn ended(&self) -> Next {
        match (self.mode, self.thin) {
            (Mode::Edge { goal: Goal::Solid, .. }, _) => Next::Solid { end: self.at },
            (Mode::Edge { goal: Goal::Beginning, .. }, Some(thin)) => Next::Cut { dense_end: self.at, thin },
            _ => Next::Ended { end: self.at, charged: self.charged },
        }
    }

    /// A tenth of the step, a hundredth, … 1.
    fn shorter_steps(&self) -> Vec<i128> {
        let mut steps = Vec::new();
        let mut step = self.step;
        while step > 1 {
            step = (step / 10).max(1);
            steps.push(step);
        }
        steps
    }

    fn check(&self, after: ValueNumber, stretch: &Stretch, step: i128) -> Result<(), AnswerError> {
        let length = stretch.last - after;
        if length < 1 || length > step || stretch.last > self.up_to {
            return Err(AnswerError::OutOfRange);
        }
        if i128::from(stretch.drawn) != length.min(Draws::COUNT as i128) || stretch.taken > stretch.drawn {
            return Err(AnswerError::WrongCount);
        }
        Ok(())
    }
}

impl Goal {
    fn takes(self, stretch: &Stretch) -> bool {
        match self {
            Self::Solid => stretch.taken == stretch.drawn,
            Self::Tail | Self::Beginning => stretch.is_dense(),
        }
    }
}
