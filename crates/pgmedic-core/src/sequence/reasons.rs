//! Why a sequence is exhausted, or its repair held, and the command that fixes it.

use super::model::{FeedSource, Method, Sequence};
use super::observation::Observation;
use super::plan::MissingRight;
use crate::{Fix, Reason, ReasonKind};

/// Which limit was reached.
pub fn exhausted_reason(sequence: &Sequence, seen: &Observation) -> Reason {
    let limit = seen.position.limit();
    let columns: Vec<String> = full_columns(sequence, limit).map(column_name).collect();
    let columns = columns.join(", ");
    let fix = widen_fix(sequence, seen);
    let text = match seen.position.next_value() {
        Some(next) => {
            format!(
                "inserts fail: the next value {next} is past {limit}, the last that {columns} can hold; widen the column"
            )
        }
        None => {
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
    Reason { fix, ..Reason::new(ReasonKind::Exhausted, text) }
}

/// The statements that move the limit: each column that is full there becomes a `bigint`, and so does the sequence, without
/// a bound in its direction. None where that would not help, because the limit is that of `bigint`.
///
/// The bound on the other side stays: `NO MINVALUE` and `NO MAXVALUE` together would put a sequence's start outside its
/// bounds, such as that of a descending sequence from 1000 down, and PostgreSQL would refuse. None too where PostgreSQL
/// does not change the type of a full column.
pub fn widen_fix(sequence: &Sequence, seen: &Observation) -> Option<Fix> {
    let limit = seen.position.limit();
    if full_columns(sequence, limit).any(|source| !source.may_widen) {
        return None;
    }
    let mut statements: Vec<String> = full_columns(sequence, limit)
        .map(|source| format!("ALTER TABLE {} ALTER COLUMN {} TYPE bigint", source.table, source.column))
        .collect();
    if seen.position.next_value().is_none() || i128::from(bound(sequence)) == limit {
        if bound(sequence) == last_bigint(sequence) {
            return None;
        }
        let unbounded = if sequence.parameters.increment > 0 { "NO MAXVALUE" } else { "NO MINVALUE" };
        statements.push(format!("ALTER SEQUENCE {} AS bigint {unbounded}", sequence.name));
    }
    (!statements.is_empty()).then(|| Fix::Sql(statements.join("; ")))
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

fn column_name(source: &FeedSource) -> String {
    format!("{}.{}", source.table, source.column)
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
