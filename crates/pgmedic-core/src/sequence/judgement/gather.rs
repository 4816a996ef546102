//! One answer for ids that are read in several statements, each of some of the tables: too many for one transaction.

use super::{Answer, AnswerError, Draws, Question, Stretch, ValueNumber, thin_needs};

/// Answers one question of a walk by asking each group of tables. A question about stretches takes two rounds: where each
/// stretch ends in all groups together, and then which of the values looked at are taken in any.
///
/// The walk must ask for one stretch at a time.
#[derive(Debug, Clone)]
pub struct Gather {
    question: Question,
    /// Where the stretches end, after the first round.
    lasts: Option<Vec<Option<ValueNumber>>>,
}

impl Gather {
    #[must_use]
    pub fn new(question: Question) -> Self {
        Self { question, lasts: None }
    }

    /// What each group is to be asked now.
    #[must_use]
    pub fn question(&self) -> Question {
        let (after, up_to, steps, draws) = match &self.question {
            Question::Stretches { after, up_to, step, draws, .. } => (*after, *up_to, vec![*step], *draws),
            Question::Scales { after, up_to, steps, draws } => (*after, *up_to, steps.clone(), *draws),
            other => return other.clone(),
        };
        match &self.lasts {
            None => Question::Lasts { after, up_to, steps },
            Some(lasts) => Question::Taken { after, lasts: lasts.iter().flatten().copied().collect(), draws },
        }
    }

    /// Takes the answers of all groups to that question. None where another one is to be asked.
    ///
    /// # Errors
    ///
    /// When an answer does not belong to the question.
    pub fn answer(&mut self, answers: Vec<Answer>) -> Result<Option<Answer>, AnswerError> {
        Ok(match (&self.question, &self.lasts) {
            (Question::Nearest { .. }, _) => {
                let found = each(answers, |answer| match answer {
                    Answer::Nearest(nearest) => Some(nearest),
                    _ => None,
                })?;
                Some(Answer::Nearest(found.into_iter().flatten().min()))
            }
            (Question::Count { most, .. }, _) => {
                let counts = each(answers, |answer| match answer {
                    Answer::Count(count) => Some(count),
                    _ => None,
                })?;
                Some(Answer::Count(counts.into_iter().sum::<u64>().min(*most)))
            }
            (_, None) => {
                let lasts = each(answers, |answer| match answer {
                    Answer::Lasts(lasts) => Some(lasts),
                    _ => None,
                })?;
                let furthest = merge(lasts, |one, other| one.max(other))?;
                let any = furthest.iter().any(Option::is_some);
                self.lasts = Some(furthest);
                if any { None } else { Some(self.whole(&[])?) }
            }
            (_, Some(_)) => {
                let taken = each(answers, |answer| match answer {
                    Answer::Taken(taken) => Some(taken),
                    _ => None,
                })?;
                let taken = merge(taken, |(one, ids), (other, more)| (one | other, ids + more))?;
                Some(self.whole(&taken)?)
            }
        })
    }

    /// The answer to the whole question: `taken` is of the stretches that end somewhere.
    fn whole(&self, taken: &[(u32, u64)]) -> Result<Answer, AnswerError> {
        let (Question::Stretches { after, .. } | Question::Scales { after, .. }) = &self.question else {
            return Err(AnswerError::OtherQuestion);
        };
        let mut taken = taken.iter();
        let stretches = self.lasts.iter().flatten().map(|last| {
            let Some(last) = *last else { return Ok(None) };
            let (mask, ids) = taken.next().ok_or(AnswerError::WrongCount)?;
            let length = last - after;
            let drawn = u32::try_from(length.min(Draws::COUNT as i128)).map_err(|_| AnswerError::OutOfRange)?;
            Ok(Some(Stretch { last, drawn, taken: mask.count_ones(), thin: *ids >= thin_needs(length) }))
        });
        let stretches = stretches.collect::<Result<Vec<_>, AnswerError>>()?;
        Ok(match self.question {
            Question::Stretches { .. } => {
                let thin = |stretch: Stretch| Stretch { thin: stretch.thin && !stretch.is_dense(), ..stretch };
                Answer::Stretches(stretches.into_iter().flatten().map(thin).collect())
            }
            _ => Answer::Scales(
                stretches
                    .into_iter()
                    .map(|stretch| stretch.map(|stretch| Stretch { thin: false, ..stretch }))
                    .collect(),
            ),
        })
    }
}

/// What each answer holds.
fn each<T>(answers: Vec<Answer>, read: impl Fn(Answer) -> Option<T>) -> Result<Vec<T>, AnswerError> {
    answers.into_iter().map(|answer| read(answer).ok_or(AnswerError::OtherQuestion)).collect()
}

/// The lists of all groups, place by place.
fn merge<T: Copy>(lists: Vec<Vec<T>>, join: impl Fn(T, T) -> T) -> Result<Vec<T>, AnswerError> {
    let mut lists = lists.into_iter();
    let first = lists.next().ok_or(AnswerError::WrongCount)?;
    lists.try_fold(first, |merged, list| {
        if list.len() != merged.len() {
            return Err(AnswerError::WrongCount);
        }
        Ok(merged.into_iter().zip(list).map(|(one, other)| join(one, other)).collect())
    })
}
