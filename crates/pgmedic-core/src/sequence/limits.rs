//! What sets a sequence's limit. Pure.

use super::model::{Limit, LimitedBy, Sequence};
use std::sync::Arc;

/// The name of what sets the limit: a fed column, the sequence itself, a column that references a fed one; or `max_id`.
pub fn limited_by(sequence: &Sequence, limit: i128) -> Arc<str> {
    let ascending = sequence.parameters.increment > 0;
    let reaches = |range: super::position::ColumnRange| {
        if ascending { i128::from(range.max) == limit } else { i128::from(range.min) == limit }
    };
    if let Some(source) = sequence.sources().find(|source| reaches(source.range)) {
        return Arc::clone(source.name.whole());
    }
    let bound = if ascending { sequence.parameters.max_value } else { sequence.parameters.min_value };
    if i128::from(bound) == limit {
        return Arc::clone(&sequence.name);
    }
    let other = sequence.rare.limits.iter().find(|other| reaches(other.range));
    other.map_or_else(|| Arc::clone(&sequence.name), |other| other.name().into())
}

impl Limit {
    /// As the report has it.
    pub fn name(&self) -> String {
        match &self.by {
            LimitedBy::Column { table, column, .. } => format!("{table}.{column}"),
            LimitedBy::StatedMaxId => "max_id".to_owned(),
        }
    }
}
