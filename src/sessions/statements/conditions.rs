//! The conditions of the statements: what is a time, what is over, what was revoked.
//!
//! Each is a whole SQL expression over the table `t`, so that a statement can join them by AND.

use crate::config::Encoding;
use crate::sessions::plausibility::EARLIEST;
use crate::sessions::store::{EndAction, LifetimeColumn, ResolvedStore, TimeColumn, TimeType};
use crate::sessions::times::{Cutoffs, time_literal};

/// An expiry rule of a store: a session is over when its column is up to the cutoff.
#[derive(Debug, Clone, Copy)]
pub struct Rule<'a> {
    pub column: &'a TimeColumn,
    pub lifetime: Option<&'a LifetimeColumn>,
    pub cutoff: &'a str,
}

/// The store's rules with these cutoffs.
pub fn rules<'a>(store: &'a ResolvedStore, cutoffs: &'a Cutoffs) -> impl Iterator<Item = Rule<'a>> {
    store.ends.iter().zip(cutoffs).map(|(end, cutoff)| Rule {
        column: &end.column,
        lifetime: end.lifetime.as_ref(),
        cutoff,
    })
}

/// The column with its table.
pub fn column(column: &TimeColumn) -> String {
    format!("t.{}", column.name)
}

/// The column holds the time of a session. 0 and less mean never, and so do NULL, infinity and the type's largest value.
/// What lies before the year 2000 is some other number, and ends no session.
pub fn is_time(encoding: &Encoding, column: &TimeColumn) -> String {
    is_time_after(EARLIEST, encoding, column)
}

/// The column holds a time after `lowest`, and not one of the values that mean never.
pub fn is_time_after(lowest: i64, encoding: &Encoding, column: &TimeColumn) -> String {
    let lowest = time_literal(encoding, lowest);
    let highest = match column.time_type {
        TimeType::Int4 => i32::MAX.to_string(),
        TimeType::Int8 => i64::MAX.to_string(),
        TimeType::Float8 => "'Infinity'::float8".to_owned(),
        // Infinity, which is known from version 14 on, and NaN are larger.
        TimeType::Numeric => "'1e1000'::numeric".to_owned(),
        TimeType::Date => "'infinity'::date".to_owned(),
        TimeType::Timestamptz => "'infinity'::timestamptz".to_owned(),
        TimeType::Timestamp => "'infinity'::timestamp".to_owned(),
    };
    let time = self::column(column);
    format!("{time} > {lowest} AND {time} < {highest}")
}

/// The session is over by this rule; NULL where its column is.
pub fn is_over_by(encoding: &Encoding, rule: Rule<'_>) -> String {
    let started = format!("{} AND {} <= {}", is_time(encoding, rule.column), column(rule.column), rule.cutoff);
    match rule.lifetime {
        None => started,
        Some(lifetime) => {
            let time = column(rule.column);
            let name = format!("t.{}", lifetime.name);
            let before = before_cutoff(encoding, lifetime, rule.cutoff);
            // The first comparison finds the rows by index: a lifetime is never negative.
            format!("{started} AND {name} > 0 AND {time} <= {before}")
        }
    }
}

/// A hundred years in nanoseconds: a longer lifetime is as good, and none is out of range.
const LONGEST: i64 = 100 * 366 * 24 * 60 * 60 * 1_000_000_000;

/// The cutoff less the session's lifetime, in the encoding.
fn before_cutoff(encoding: &Encoding, lifetime: &LifetimeColumn, cutoff: &str) -> String {
    let longest = LONGEST / lifetime.nanoseconds;
    let bounded = format!("least(t.{}, {longest})", lifetime.name);
    let of_unit = |unit: i64| format!("{cutoff} - ceil({bounded}::numeric * {} / {unit})", lifetime.nanoseconds);
    match encoding {
        Encoding::Timestamptz | Encoding::Timestamp { .. } | Encoding::Date { .. } => {
            // A microsecond is the smallest part of an interval.
            match lifetime.nanoseconds {
                1 => format!("{cutoff} - {bounded}::float8 / 1000 * interval '1 microsecond'"),
                // Before version 15 the text of an interval may not hold so many of them.
                unit => format!("{cutoff} - {bounded}::float8 * {} * interval '1 microsecond'", unit / 1000),
            }
        }
        Encoding::EpochSeconds => of_unit(1_000_000_000),
        Encoding::EpochMillis => of_unit(1_000_000),
        Encoding::EpochMicros => of_unit(1000),
        Encoding::EpochNanos => of_unit(1),
    }
}

/// The session is over by any rule; false, never NULL, where it is not.
pub fn is_over(encoding: &Encoding, store: &ResolvedStore, cutoffs: &Cutoffs) -> String {
    any(rules(store, cutoffs).map(|rule| is_over_by(encoding, rule)))
}

/// Some column says when the session ends; false, never NULL, where none does.
pub fn has_end(encoding: &Encoding, store: &ResolvedStore) -> String {
    any(store.ends.iter().map(|end| match &end.lifetime {
        Some(lifetime) => format!("{} AND t.{} > 0", is_time(encoding, &end.column), lifetime.name),
        None => is_time(encoding, &end.column),
    }))
}

fn any(conditions: impl Iterator<Item = String>) -> String {
    let conditions: Vec<String> = conditions.map(|condition| format!("({condition})")).collect();
    format!("coalesce({}, false)", conditions.join(" OR "))
}

/// The row as it is after the statement was not ended by it; an SQL constant where it is deleted.
pub fn is_left(action: &EndAction) -> String {
    match action {
        EndAction::Delete => "false".to_owned(),
        EndAction::Set { column, value } => format!("t.{column} IS DISTINCT FROM {value}"),
        EndAction::Stamp(column) => format!("t.{} IS NULL", column.name),
    }
}

/// The row is a session that was not revoked before.
pub fn not_revoked(store: &ResolvedStore) -> String {
    let not_revoked = match &store.action {
        EndAction::Delete => "true".to_owned(),
        revoke => is_left(revoke),
    };
    let only = store.only.iter().cloned();
    std::iter::once(not_revoked).chain(only).collect::<Vec<_>>().join(" AND ")
}
