//! A column whose ids PostgreSQL makes from the sequence's values, by a cast or an expression. They do not compare with the
//! sequence, but of its next values it can be asked, one by one, whether their ids are taken.

use super::model::{ComputedColumn, Sequence};
use super::probe_part::{ProbePart, same_relation_sql};
use crate::{QueryError, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// Values that are looked at.
const MOST: u32 = 1000;

/// What was seen of the next values.
#[derive(Debug, PartialEq, Eq)]
pub struct TakenValues {
    /// What `nextval` would return; none where it would fail.
    pub next_value: Option<i64>,
    /// Which values make an id that is taken, by their numbers from the next value on, in order.
    pub taken: Vec<u32>,
}

impl ComputedColumn {
    /// The statement that looks at the next values. `id` is what the default makes of `v.id`, as SQL.
    pub fn sql(&self, sequence: &Sequence, id: &str) -> String {
        let parameters = &sequence.parameters;
        let first = if parameters.increment > 0 { parameters.min_value } else { parameters.max_value };
        let number = |value: i64| format!("'{value}'::pg_catalog.numeric");
        let part = ProbePart { source: &self.source, member: None, own_values: None };
        fill_sql(
            include_str!("computed_column.sql"),
            &[
                ("SEQUENCE", &*sequence.name),
                ("OID", &sequence.oid.to_string()),
                ("INCREMENT", &number(parameters.increment)),
                ("MIN", &number(parameters.min_value)),
                ("MAX", &number(parameters.max_value)),
                ("WRAPPED", &if parameters.cycle { number(first) } else { "NULL".to_owned() }),
                ("UNCHANGED", &same_relation_sql(part.table(), part.oid())),
                ("MOST", &(MOST - 1).to_string()),
                ("ID", id),
                ("TYPE", &self.type_name),
                ("TABLE", part.table()),
                ("COLUMN", self.source.column()),
            ],
        )
    }
}

impl TakenValues {
    /// Reads the answer.
    ///
    /// # Errors
    ///
    /// When a relation was replaced since it was discovered, or the row is not what was asked for.
    pub fn read(rows: &[PgRow]) -> Result<Self, QueryError> {
        let [row] = rows else { return Err(QueryError::ConcurrentlyChanged) };
        let (next, taken): (Option<String>, Option<String>) = (row.try_get(0)?, row.try_get(1)?);
        let unexpected = || QueryError::UnexpectedResponse(format!("{next:?} and {taken:?} are no numbers"));
        let next_value = next.as_ref().map(|next| next.parse()).transpose().map_err(|_| unexpected())?;
        let taken = taken.as_deref().unwrap_or_default().split_whitespace().map(str::parse).collect::<Result<_, _>>();
        Ok(Self { next_value, taken: taken.map_err(|_| unexpected())? })
    }

    /// How many values would be handed out up to the end of the taken ones; none where no insert fails. Of a sequence that
    /// `cycles`, old ids may lie ahead for as long as they are gone in time: only those that the next insert meets count.
    pub fn lag(&self, cycles: bool) -> Option<u32> {
        if cycles {
            let run = self.taken.iter().zip(0..).take_while(|(taken, number)| *taken == number).count();
            return u32::try_from(run).ok().filter(|run| *run > 0);
        }
        self.taken.last().map(|last| last + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_ahead_of_a_cycling_sequence_count_from_the_next_value_on_alone() {
        let lag = |taken: &[u32], cycles| TakenValues { next_value: Some(1), taken: taken.to_vec() }.lag(cycles);
        assert_eq!((lag(&[], false), lag(&[], true)), (None, None));
        assert_eq!((lag(&[8], false), lag(&[8], true)), (Some(9), None));
        assert_eq!((lag(&[0, 1, 8], false), lag(&[0, 1, 8], true)), (Some(9), Some(2)));
    }
}
