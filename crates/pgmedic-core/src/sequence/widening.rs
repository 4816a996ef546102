//! How a sequence's limit can be moved: by statements, or why by none. Pure.

use super::model::{FeedSource, LimitedBy, Sequence};
use super::position::{ColumnRange, Position};
use crate::Fix;

/// What there is to do about a limit.
#[derive(Debug, PartialEq, Eq)]
pub enum Widening {
    /// Statements that move it.
    Statements(String),
    /// The sequence's own bound was set on purpose: its type holds more. The statement raises it to what the columns hold. It is
    /// no fix, because the values beyond may be others'.
    OnPurpose(String),
    /// PostgreSQL does not change the type of this column in place.
    Obstacle { column: String, why: String },
    /// The configuration states it.
    Stated,
    /// No type is wider than bigint.
    Widest,
}

impl Widening {
    /// What moves the limit of `sequence`: each column that is full there becomes a `bigint`, the referencing ones first, and
    /// so does the sequence, without a bound in its direction.
    ///
    /// The bound on the other side stays: `NO MINVALUE` and `NO MAXVALUE` together would put a sequence's start outside its
    /// bounds, such as that of a descending sequence from 1000 down, and PostgreSQL would refuse.
    pub fn of(sequence: &Sequence, position: &Position) -> Self {
        let limit = position.limit();
        let at_limit = || sequence.rare.limits.iter().filter(|other| other.range.is_full_at(limit));
        if at_limit().any(|other| other.by == LimitedBy::StatedMaxId) {
            return Self::Stated;
        }
        let mut columns: Vec<(&str, &str, Option<&str>)> = Vec::new();
        for other in at_limit() {
            let LimitedBy::Column { table, column, widen_obstacle } = &other.by else { continue };
            columns.insert(0, (table, column, widen_obstacle.as_deref()));
        }
        columns.extend(
            full_columns(sequence, limit)
                .map(|source| (source.table(), source.column(), source.rare.widen_obstacle.as_deref())),
        );
        if bound(sequence) == limit && limit == last_bigint(sequence) {
            return Self::Widest;
        }
        if let Some((table, column, Some(why))) = columns.iter().find(|(_, _, obstacle)| obstacle.is_some()) {
            return Self::Obstacle { column: format!("{table}.{column}"), why: (*why).to_owned() };
        }
        let widen = |(table, column, _): &(&str, &str, Option<&str>)| {
            format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint")
        };
        let mut statements: Vec<String> = columns.iter().map(widen).collect();
        if position.next_value().is_none() || bound(sequence) == limit {
            let ascending = sequence.parameters.increment > 0;
            let name = if ascending { "MAXVALUE" } else { "MINVALUE" };
            let alter = format!("ALTER SEQUENCE {} AS bigint", sequence.name);
            if columns.is_empty() && is_on_purpose(sequence) {
                let ids = sequence.usable_ids();
                return Self::OnPurpose(format!("{alter} {name} {}", if ascending { ids.max } else { ids.min }));
            }
            statements.push(format!("{alter} NO {name}"));
        }
        Self::Statements(statements.join("; "))
    }

    /// The statements that move it, where they do no harm.
    pub fn fix(&self) -> Option<Fix> {
        match self {
            Self::Statements(statements) => Some(Fix::Sql(statements.clone())),
            _ => None,
        }
    }

    /// What a reason adds where there is no fix, after a semicolon; nothing where the reason says it already.
    pub fn advice(&self) -> String {
        match self {
            Self::Statements(_) | Self::Stated => String::new(),
            Self::OnPurpose(statement) => format!(
                "; that bound was set on purpose, as its type holds more: raise it only if the values beyond are free \
                 ({statement})"
            ),
            Self::Obstacle { column, why } => {
                let remove = match why.contains("trigger zz_pgmedic_follow_") {
                    true => "remove it with pgmedic sql follow --remove, and run pgmedic sql follow again afterwards",
                    false => "remove what is in the way and change it then, or copy the ids to a wider column",
                };
                format!("; the type of {column} cannot be changed in place, because {why}: {remove}")
            }
            Self::Widest => "; no type is wider than bigint".to_owned(),
        }
    }

    /// What the statements lock, after a semicolon.
    pub fn locks(&self) -> &'static str {
        match self {
            Self::Statements(statements) if statements.contains("ALTER TABLE") => {
                "; each ALTER TABLE rewrites its table, which is locked against reads and writes meanwhile"
            }
            _ => "",
        }
    }
}

/// The fed columns that hold no id beyond `limit`.
pub fn full_columns(sequence: &Sequence, limit: i128) -> impl Iterator<Item = &FeedSource> {
    sequence.sources().filter(move |source| source.range.is_full_at(limit))
}

/// The sequence's own bound in its direction.
pub fn bound(sequence: &Sequence) -> i128 {
    let parameters = &sequence.parameters;
    i128::from(if parameters.increment > 0 { parameters.max_value } else { parameters.min_value })
}

/// The last value of the widest type, in the sequence's direction.
fn last_bigint(sequence: &Sequence) -> i128 {
    i128::from(if sequence.parameters.increment > 0 { i64::MAX } else { i64::MIN })
}

/// Whether the sequence's bound is none of a type's.
fn is_on_purpose(sequence: &Sequence) -> bool {
    let types = [ColumnRange::INT2, ColumnRange::INT4, ColumnRange::INT8];
    !types.iter().any(|range| [range.min, range.max].map(i128::from).contains(&bound(sequence)))
}
