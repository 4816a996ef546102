//! The statements that answer a walk's questions, each by index probes in one snapshot.
//!
//! | file | what is in it |
//! |---|---|
//! | `ids.rs` | the probes: taken ids of the fed columns as SQL expressions |
//! | `nearest.sql`, `few.sql`, `stretches.sql`, `scales.sql`, `count.sql` | one statement for each kind of question |
//! | `lasts.sql`, `taken.sql` | the same about stretches, where the tables are read in several statements |

mod ids;

use super::judgement::{Answer, Draws, FewIds, Numbering, Question, Stretch, ValueNumber};
use super::model::Sequence;
use super::position::SequenceState;
use super::probe_part::ProbePart;
use crate::{QueryError, fill_sql};
use ids::Ids;
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A question about the ids that one sequence feeds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockQuestion {
    pub question: Question,
    pub own: Numbering,
}

impl BlockQuestion {
    /// The statement; `parts` are where the ids are read, and `unchanged` is the condition that they are what was discovered.
    pub fn sql(&self, sequence: &Sequence, parts: &[ProbePart<'_>], unchanged: &str) -> String {
        let Self { question, own } = self;
        let after = match question {
            Question::Stretches { after, .. }
            | Question::Scales { after, .. }
            | Question::Lasts { after, .. }
            | Question::Taken { after, .. } => *after,
            Question::Nearest { from, .. } | Question::Few { from, .. } | Question::Count { from, .. } => *from - 1,
        };
        let ids = Ids::new(parts, *own, after);
        match question {
            Question::Nearest { from, up_to } => {
                let values = [
                    ("FIRST", ids.first(own.id(*from), own.id(*up_to))),
                    ("UNCHANGED", unchanged.to_owned()),
                    ("OID", sequence.oid.to_string()),
                    ("SEQUENCE", sequence.name.to_string()),
                ];
                fill_sql(include_str!("nearest.sql"), &values)
            }
            Question::Few { from, up_to, most } => {
                let values = [
                    ("IDS", ids.all(own.id(*from), own.id(*up_to))),
                    ("MORE", (most + 1).to_string()),
                    ("UNCHANGED", unchanged.to_owned()),
                    ("OID", sequence.oid.to_string()),
                    ("SEQUENCE", sequence.name.to_string()),
                ];
                fill_sql(include_str!("few.sql"), &values)
            }
            Question::Count { up_to, most, .. } => {
                let count = ids.count("0", &(up_to - after).to_string(), &most.to_string());
                fill_sql(include_str!("count.sql"), &[("COUNT", count.as_str()), ("UNCHANGED", unchanged)])
            }
            Question::Scales { up_to, steps, draws, .. } => {
                let furthest = steps.iter().copied().max().unwrap_or(1).min(up_to - after);
                let values = [
                    ("LAST", ids.last("0::int8", &format!("least(step.length, {furthest})"))),
                    ("STEPS", join(steps.iter())),
                    ("TAKEN", ids.taken("v.id")),
                ];
                fill_sql(include_str!("scales.sql"), &[&values[..], &shared(&ids, draws, after, unchanged)].concat())
            }
            Question::Lasts { up_to, steps, .. } => {
                let furthest = up_to - after;
                let values = [
                    ("LAST", ids.last("0::int8", &format!("least(step.length, {furthest})"))),
                    ("STEPS", join(steps.iter())),
                    ("UNCHANGED", unchanged.to_owned()),
                ];
                fill_sql(include_str!("lasts.sql"), &values)
            }
            Question::Taken { lasts, draws, .. } => {
                let values = [
                    ("LASTS", join(lasts.iter().map(|last| last - after))),
                    ("COUNT", ids.count("0", "s.reached", "(s.reached + 999) / 1000")),
                    ("TAKEN", ids.taken("v.id")),
                ];
                fill_sql(include_str!("taken.sql"), &[&values[..], &shared(&ids, draws, after, unchanged)].concat())
            }
            Question::Stretches { up_to, step, most, draws, .. } => {
                let furthest = (up_to - after).min(step * i128::from(*most));
                let values = [
                    ("LAST", ids.last("c.reached", &format!("least(c.reached + {step}, {furthest})"))),
                    ("COUNT", ids.count("c.reached", "s.reached", "(s.reached - c.reached + 999) / 1000")),
                    ("MOST", most.to_string()),
                    ("TAKEN", ids.taken("v.id")),
                ];
                fill_sql(include_str!("stretches.sql"), &[&values[..], &shared(&ids, draws, after, unchanged)].concat())
            }
        }
    }

    /// The state of the sequence by which the ids from its next value on were looked for, where the statement has read it.
    ///
    /// # Errors
    ///
    /// When the row does not hold what it should.
    pub fn read_state(&self, rows: &[PgRow]) -> Result<Option<SequenceState>, QueryError> {
        let (Question::Nearest { .. } | Question::Few { .. }, [row]) = (&self.question, rows) else { return Ok(None) };
        let (last_value, is_called): (Option<i64>, Option<bool>) =
            (row.try_get("last_value")?, row.try_get("is_called")?);
        let state = last_value.zip(is_called);
        Ok(state.map(|(last_value, is_called)| SequenceState { last_value, is_called }))
    }

    /// Reads the rows that the statement returned.
    ///
    /// # Errors
    ///
    /// When they are not what was asked for.
    pub fn read(&self, rows: &[PgRow]) -> Result<Answer, QueryError> {
        let Self { question, own } = self;
        let one = || match rows {
            [row] => Ok(row),
            rows => Err(QueryError::UnexpectedResponse(format!("{} rows instead of one", rows.len()))),
        };
        let number = |id: i64| {
            let odd = || QueryError::UnexpectedResponse(format!("{id} is not among the values asked for"));
            own.number(id.into()).ok_or_else(odd)
        };
        Ok(match question {
            Question::Nearest { .. } => {
                let nearest: Option<i64> = one()?.try_get("nearest")?;
                Answer::Nearest(nearest.map(number).transpose()?)
            }
            Question::Few { most, .. } => {
                let row = one()?;
                let ends: Option<(i64, i64)> = Option::zip(row.try_get("lowest")?, row.try_get("highest")?);
                let ends = ends.map(|(low, high)| Ok::<_, QueryError>((number(low)?, number(high)?))).transpose()?;
                let ends = ends.map(|(low, high)| (low.min(high), low.max(high)));
                let few = FewIds { ends, taken: unsigned(row.try_get("taken")?)? };
                Answer::Few((unsigned(row.try_get("read")?)? <= *most).then_some(few))
            }
            Question::Count { .. } => Answer::Count(unsigned(one()?.try_get("taken")?)?),
            Question::Scales { after, .. } => {
                Answer::Scales(rows.iter().map(|row| read_stretch(row, *after)).collect::<Result<_, _>>()?)
            }
            Question::Lasts { after, .. } => {
                let last = |row: &PgRow| {
                    let reached: Option<i64> = row.try_get("reached")?;
                    Ok(reached.map(|reached| after + i128::from(reached)))
                };
                Answer::Lasts(rows.iter().map(last).collect::<Result<_, QueryError>>()?)
            }
            Question::Taken { .. } => {
                let taken = |row: &PgRow| {
                    let mask: i64 = row.try_get("taken")?;
                    let mask =
                        u32::try_from(mask).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
                    Ok((mask, unsigned(row.try_get("ids")?)?))
                };
                Answer::Taken(rows.iter().map(taken).collect::<Result<_, QueryError>>()?)
            }
            Question::Stretches { after, .. } => {
                let mut stretches = Vec::with_capacity(rows.len());
                for row in rows {
                    let thin = row.try_get("thin")?;
                    stretches.extend(read_stretch(row, *after)?.map(|stretch| Stretch { thin, ..stretch }));
                }
                Answer::Stretches(stretches)
            }
        })
    }
}

/// What both statements about stretches need.
fn shared(ids: &Ids<'_>, draws: &Draws, after: ValueNumber, unchanged: &str) -> [(&'static str, String); 5] {
    /// Draws are below this number, and so is what turns them.
    const SPAN: i128 = 1 << 31;
    [
        ("UNCHANGED", unchanged.to_owned()),
        ("BASE", ids.base()),
        ("INCREMENT", ids.increment()),
        ("DRAWS", join(draws.numbers().iter())),
        ("TURN", after.rem_euclid(SPAN).to_string()),
    ]
}

fn join<T: ToString>(numbers: impl Iterator<Item = T>) -> String {
    numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(",")
}

fn read_stretch(row: &PgRow, after: ValueNumber) -> Result<Option<Stretch>, QueryError> {
    let reached: Option<i64> = row.try_get("reached")?;
    let Some(reached) = reached else { return Ok(None) };
    let count = |column: &str| -> Result<u32, QueryError> {
        let value: i64 = row.try_get(column)?;
        u32::try_from(value).map_err(|error| QueryError::UnexpectedResponse(format!("{column}: {error}")))
    };
    let last = after + i128::from(reached);
    Ok(Some(Stretch { last, drawn: count("drawn")?, taken: count("taken")?, thin: false }))
}

fn unsigned(number: i64) -> Result<u64, QueryError> {
    u64::try_from(number).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))
}

#[cfg(test)]
mod tests {
    use crate::sequence::judgement::thin_needs;

    #[test]
    fn the_statement_counts_thin_stretches_as_the_judgement_does() {
        for length in [1_i128, 999, 1000, 1001, 99_999, 100_000] {
            assert_eq!(i128::from(thin_needs(length)), (length + 999) / 1000, "{length}");
        }
    }
}
