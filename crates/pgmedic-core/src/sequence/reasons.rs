//! Why a sequence is exhausted, or its repair held, and the command that fixes it.

use super::limits::limited_by;
use super::model::{FeedSource, Limit, LimitedBy, Method, Sequence};
use super::observation::Observation;
use super::plan::MissingRight;
use super::position::ColumnRange;
use crate::{Fix, Reason, ReasonKind};

/// Which limit was reached.
pub fn exhausted_reason(sequence: &Sequence, seen: &Observation) -> Reason {
    let limit = seen.position.limit();
    let fix = widen_fix(sequence, seen);
    let text = match seen.position.next_value() {
        Some(next) if full_columns(sequence, limit).next().is_some() => {
            let columns = join(full_columns(sequence, limit).map(FeedSource::column_name));
            format!(
                "inserts fail: the next value {next} is past {limit}, the last that {columns} can hold; widen the column"
            )
        }
        Some(next) => {
            let by = limited_by(sequence, limit);
            let stated = sequence.limits.iter().any(|other| other.by == LimitedBy::StatedMaxId && other.name() == by);
            let what = if stated { "stated as max_id".to_owned() } else { format!("that {by} can hold") };
            format!("the next value {next} is past {limit}, the last {what}")
        }
        None if full_columns(sequence, limit).next().is_none() && is_on_purpose(sequence) => format!(
            "nextval fails: its own bound {} is reached, which was set on purpose, as its type holds more; raise it only if \
             the values beyond are free",
            bound(sequence)
        ),
        None => {
            let columns = join(full_columns(sequence, limit).map(FeedSource::column_name));
            let widen = match (&fix, columns.as_str()) {
                (Some(_), "") => "; widen the sequence".to_owned(),
                (Some(_), columns) => format!("; widen {columns} and the sequence"),
                (None, _) if bound(sequence) == last_bigint(sequence) => {
                    ", and no type is wider than bigint".to_owned()
                }
                (None, columns) => format!("; copy {columns} to a wider column: its type cannot be changed in place"),
            };
            format!("nextval fails: its own bound {} is reached{widen}", bound(sequence))
        }
    };
    let locks = match &fix {
        Some(Fix::Sql(statements)) if statements.contains("ALTER TABLE") => {
            "; each ALTER TABLE rewrites its table, which is locked against reads and writes meanwhile"
        }
        _ => "",
    };
    Reason { fix, ..Reason::new(ReasonKind::Exhausted, format!("{text}{locks}")) }
}

/// The statements that move the limit: each column that is full there becomes a `bigint`, the referencing ones first, and so
/// does the sequence, without a bound in its direction. None where that would not help, because the limit is that of
/// `bigint`.
///
/// The bound on the other side stays: `NO MINVALUE` and `NO MAXVALUE` together would put a sequence's start outside its
/// bounds, such as that of a descending sequence from 1000 down, and PostgreSQL would refuse. A bound below that of any type
/// was set on purpose, and is only raised to what the columns hold. None too where PostgreSQL does not change the type of a
/// full column, or where the configuration states the limit.
pub fn widen_fix(sequence: &Sequence, seen: &Observation) -> Option<Fix> {
    let limit = seen.position.limit();
    let stated = |other: &Limit| other.by == LimitedBy::StatedMaxId && other.range.is_full_at(limit);
    if full_columns(sequence, limit).any(|source| !source.may_widen) || sequence.limits.iter().any(stated) {
        return None;
    }
    let mut columns: Vec<(&str, &str)> = Vec::new();
    for other in sequence.limits.iter().rev().filter(|other| other.range.is_full_at(limit)) {
        let LimitedBy::Reference { table, column, may_widen } = &other.by else { continue };
        if !may_widen {
            return None;
        }
        columns.push((table, column));
    }
    columns.extend(full_columns(sequence, limit).map(|source| (source.table.as_str(), source.column.as_str())));
    let widen = |(table, column): &(&str, &str)| format!("ALTER TABLE {table} ALTER COLUMN {column} TYPE bigint");
    let mut statements: Vec<String> = columns.iter().map(widen).collect();
    if seen.position.next_value().is_none() || i128::from(bound(sequence)) == limit {
        if bound(sequence) == last_bigint(sequence) {
            return None;
        }
        let ascending = sequence.parameters.increment > 0;
        let name = if ascending { "MAXVALUE" } else { "MINVALUE" };
        let widened = if is_on_purpose(sequence) && columns.is_empty() {
            let columns = sequence.usable_ids();
            format!("{name} {}", if ascending { columns.max } else { columns.min })
        } else {
            format!("NO {name}")
        };
        statements.push(format!("ALTER SEQUENCE {} AS bigint {widened}", sequence.name));
    }
    (!statements.is_empty()).then(|| Fix::Sql(statements.join("; ")))
}

/// Whether the sequence's bound is none of a type's.
fn is_on_purpose(sequence: &Sequence) -> bool {
    let types = [ColumnRange::INT2, ColumnRange::INT4, ColumnRange::INT8];
    !types.iter().any(|range| [range.min, range.max].contains(&bound(sequence)))
}

fn join(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// The sequence's own bound in its direction.
fn bound(sequence: &Sequence) -> i64 {
    let parameters = sequence.parameters;
    if parameters.increment > 0 { parameters.max_value } else { parameters.min_value }
}

/// The last value of the widest type, in the sequence's direction.
fn last_bigint(sequence: &Sequence) -> i64 {
    if sequence.parameters.increment > 0 { i64::MAX } else { i64::MIN }
}

/// The fed columns that hold no id beyond `limit`.
fn full_columns(sequence: &Sequence, limit: i128) -> impl Iterator<Item = &FeedSource> {
    sequence.sources().filter(move |source| source.range.is_full_at(limit))
}

/// That few values are left before the limit.
pub fn running_out_reason(sequence: &Sequence, seen: &Observation) -> Reason {
    let position = &seen.position;
    let (left, limit) = (position.remaining(), position.limit());
    let by = limited_by(sequence, limit);
    let percent = position.used_ratio() * 100.0;
    let values = if left == 1 { "value is" } else { "values are" };
    let text = format!("{left} {values} left before the limit {limit} of {by}: {percent:.1} % are used");
    Reason { fix: widen_fix(sequence, seen), ..Reason::new(ReasonKind::RunningOut, text) }
}

/// That a sequence stands before a next value that is remembered, though no id is in its way.
pub fn rewound_reason(sequence: &Sequence, seen: &Observation, values: i128) -> Reason {
    let position = &seen.position;
    let known = position.numbering().id(position.next_number() + values);
    let text = format!(
        "it was set back: its next value was {known} before, so {values} values will be handed out again; bring it back if \
         that was no intention"
    );
    let statement =
        format!("SELECT pg_catalog.setval({}::regclass, {known}, false)", crate::quote_literal(&sequence.name));
    Reason::new(ReasonKind::Rewound, text).with_fix(Fix::Sql(statement))
}

/// What the role lacks for the move. `role` is the connected role, quoted.
pub fn missing_right_reason(sequence: &Sequence, missing: MissingRight, role: &str) -> Reason {
    let Sequence { name, owner, .. } = sequence;
    match missing {
        // Membership in a superuser would hand pgmedic all rights on the server, so no grant is proposed.
        MissingRight::NotOwner if sequence.owner_is_superuser => Reason::new(
            ReasonKind::Ownership,
            format!(
                "the lag is wider than advance_limit, and only an owner may leap; its owner {owner} is a superuser: run \
                 pgmedic --once as {owner}, give the table and the sequence to another owner, or raise advance_limit"
            ),
        ),
        MissingRight::NotOwner => Reason::new(
            ReasonKind::Ownership,
            "the lag is wider than advance_limit, and only an owner may leap; become a member, or raise advance_limit",
        )
        .with_fix(Fix::Sql(format!("GRANT {owner} TO {role}"))),
        MissingRight::NoUpdate => Reason::missing_privilege(&format!("UPDATE ON SEQUENCE {name}"), role),
        MissingRight::NoPrivilege => Reason::missing_privilege(&format!("USAGE ON SEQUENCE {name}"), role),
    }
}

/// What an advance leaves undone where sessions have cached values. An owner can drop what they have cached: setting the
/// same cache again rewrites the sequence's file, and each session then fetches new values.
pub fn still_cached_reason(sequence: &Sequence, method: Method) -> Option<Reason> {
    let cache = sequence.parameters.cache;
    if method != Method::Advance || cache == 1 {
        return None;
    }
    let text = format!(
        "sessions that hold cached values (CACHE {cache}) may still hand out taken ids; its owner can make them drop these"
    );
    let statement = format!("ALTER SEQUENCE {} CACHE {cache}", sequence.name);
    Some(Reason::new(ReasonKind::CachedValues, text).with_fix(Fix::Sql(statement)))
}
