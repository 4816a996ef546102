//! Why a sequence is exhausted, or its repair held, and the command that fixes it.

use super::limits::limited_by;
use super::model::{Feed, FeedSource, FollowTrigger, LimitedBy, Method, Sequence};
use super::observation::Observation;
use super::plan::MissingRight;
use super::position::{ColumnRange, Parameters, Position};
use super::widening::{Widening, bound, full_columns};
use crate::{Fix, Reason, ReasonKind, shell_quote};

/// Which limit was reached, and how it is moved.
pub fn exhausted_reason(sequence: &Sequence, seen: &Observation) -> Reason {
    let position = &seen.position;
    let limit = position.limit();
    let widening = Widening::of(sequence, position);
    let columns = join(full_columns(sequence, limit).map(FeedSource::column_name));
    let text = match (position.next_value(), columns.as_str()) {
        (Some(next), "") => {
            let by = limited_by(sequence, limit);
            let stated =
                sequence.rare.limits.iter().any(|other| other.by == LimitedBy::StatedMaxId && *other.name() == *by);
            let what = if stated { "stated as max_id".to_owned() } else { format!("that {by} can hold") };
            format!("the next value {next} is past {limit}, the last {what}")
        }
        (Some(next), columns) => {
            format!("inserts fail: the next value {next} is past {limit}, the last that {columns} can hold")
        }
        (None, _) => format!("nextval fails: its own bound {} is reached", bound(sequence)),
    };
    let widen = match (&widening, columns.as_str(), position.next_value()) {
        (Widening::Statements(_), "", Some(_)) => String::new(),
        (Widening::Statements(_), _, Some(_)) => "; widen the column".to_owned(),
        (Widening::Statements(_), "", None) => "; widen the sequence".to_owned(),
        (Widening::Statements(_), columns, None) => format!("; widen {columns} and the sequence"),
        (without, ..) => without.advice(),
    };
    let text = format!("{text}{widen}{}", widening.locks());
    Reason { fix: widening.fix(), ..Reason::new(ReasonKind::Exhausted, text) }
}

fn join(names: impl Iterator<Item = String>) -> String {
    names.collect::<Vec<_>>().join(", ")
}

/// That few values are left before the limit.
pub fn running_out_reason(sequence: &Sequence, position: &Position) -> Reason {
    let (left, limit) = (position.remaining(), position.limit());
    let by = limited_by(sequence, limit);
    let percent = position.used_ratio() * 100.0;
    let values = if left == 1 { "value is" } else { "values are" };
    let widening = Widening::of(sequence, position);
    let text = format!(
        "{left} {values} left before the limit {limit} of {by}: {percent:.1} % are used{}{}",
        widening.advice(),
        widening.locks()
    );
    Reason { fix: widening.fix(), ..Reason::new(ReasonKind::RunningOut, text) }
}

/// That a sequence stands before a next value that is remembered, though no id is in its way.
pub fn rewound_reason(sequence: &Sequence, seen: &Observation, values: i128) -> Reason {
    let position = &seen.position;
    let known = position.numbering().id(position.next_number() + values);
    let text = format!(
        "it was set back: its next value was {known} before, so {values} values will be handed out again; bring it back if \
         that was no intention"
    );
    Reason::new(ReasonKind::Rewound, text).with_fix(Fix::Sql(forward_sql(sequence, known)))
}

/// That ids beyond `max_id` take the sequence along, because the trigger of `pgmedic sql follow` does not know it; none where
/// it does, where there is no trigger, and where it could not take the sequence further.
pub fn follows_too_far_reason(sequence: &Sequence, feed: &Feed, max_id: i64) -> Option<Reason> {
    let FollowTrigger { max_id: known, always } = *feed.report.followed.as_deref()?;
    let Parameters { increment, min_value, max_value, cycle, .. } = *sequence.parameters;
    let ids = feed.known_source().map_or(ColumnRange::INT8, |source| source.range);
    let goes_too_far = if increment > 0 {
        known.unwrap_or(i64::MAX).min(max_value).min(ids.max) > max_id
    } else {
        known.unwrap_or(i64::MIN).max(min_value).max(ids.min) < max_id
    };
    // A sequence that cycles is never moved.
    if cycle || !goes_too_far {
        return None;
    }
    let column = &feed.report.column;
    let knows = known.map_or_else(|| "states none".to_owned(), |known| format!("states {known}"));
    let text = format!(
        "max_id {max_id} is stated for it, and the trigger of pgmedic sql follow on {column} {knows}: an inserted id \
         beyond it takes the sequence along"
    );
    let also = if always { " --always" } else { "" };
    let command = format!(
        "pgmedic sql follow {} --max-id {max_id}{also} | psql -X -v ON_ERROR_STOP=1 \"$DATABASE_URL\"",
        shell_quote(column)
    );
    Some(Reason::new(ReasonKind::FollowsTooFar, text).with_fix(Fix::Command(command)))
}

/// The statements that make `next` the next value, unless the sequence is there already. They may be run much later, when it has
/// gone further: they read the state again, under the sequence's lock.
pub fn forward_sql(sequence: &Sequence, next: i128) -> String {
    let Sequence { name, parameters, .. } = sequence;
    let (cache, before) = (parameters.cache, if parameters.increment > 0 { "<" } else { ">" });
    format!(
        "BEGIN; SET LOCAL lock_timeout = '1s'; ALTER SEQUENCE {name} CACHE {cache}; \
         SELECT pg_catalog.setval({}::regclass, {next}, false) FROM {name} WHERE last_value {before} {next}; COMMIT",
        crate::quote_literal(name)
    )
}

/// The statement that gives the role, which is quoted, the rights of the sequence's owner.
pub fn become_owner(sequence: &Sequence, role: &str) -> Fix {
    let owner = &sequence.owner;
    Fix::Sql(match sequence.not_inherited {
        None => format!("GRANT {owner} TO {role}"),
        Some(true) => format!("GRANT {owner} TO {role} WITH INHERIT TRUE"),
        Some(false) => format!("ALTER ROLE {role} INHERIT"),
    })
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
        .with_fix(become_owner(sequence, role)),
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
