//! Two sequences that hand out values for one column: both pass its ids, and neither may hand out the value that the other
//! one hands out next.

use super::keys::read_keys;
use super::moves::Headroom;
use super::observe::observe;
use super::repair::{RepairContext, RepairTask, repair};
use super::single_look::Subject;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use crate::report::{Outcome, RepairReport, SequenceReport, Verdict};
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::judgement::Found;
use pgmedic_core::sequence::model::{Feed, FeedSource, Sequence};
use pgmedic_core::sequence::{FeedReport, Link};
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts};
use std::collections::HashMap;
use std::sync::Arc;

/// Two sequences that feed one column, or a partition of it. Both are indexes into the catalog's sequences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedColumn {
    /// It feeds the column of the whole table.
    whole: usize,
    /// It feeds the same column, or that of a partition.
    part: usize,
    /// The column that the second one feeds.
    feed: FeedReport,
}

/// Finds them among the sequences of a database.
pub fn shared_columns(sequences: &[Sequence]) -> Vec<SharedColumn> {
    let mut shared = Vec::new();
    let mut by_column: HashMap<(u32, &str), Vec<usize>> = HashMap::new();
    let by_oid: HashMap<u32, usize> =
        sequences.iter().enumerate().map(|(index, sequence)| (sequence.oid, index)).collect();
    for (index, sequence) in sequences.iter().enumerate() {
        for (feed, source) in readable(sequence) {
            let feed = &feed.report;
            let others = by_column.entry((source.table_oid, source.column())).or_default();
            shared.extend(others.iter().map(|other| SharedColumn { whole: *other, part: index, feed: feed.clone() }));
            others.push(index);
            for partner in source.rare.partners.iter().filter_map(|oid| by_oid.get(oid)) {
                // Its link counts, and is one to a partition of this table.
                let column = readable(&sequences[*partner]).find(|(_, other)| other.column() == source.column());
                shared.extend(column.map(|(part, _)| SharedColumn {
                    whole: index,
                    part: *partner,
                    feed: part.report.clone(),
                }));
            }
        }
    }
    shared
}

fn readable(sequence: &Sequence) -> impl Iterator<Item = (&Feed, &FeedSource)> {
    sequence.feeds.iter().filter_map(|feed| Some((feed, feed.source.as_ref().ok()?)))
}

/// What the second look of a pass needs.
#[derive(Debug, Clone, Copy)]
pub struct SharedContext<'a> {
    pub sequences: &'a [Sequence],
    pub repair: &'a RepairContext,
}

/// Names each pair of `shared` that will meet in the reports of both, and moves one of them by a value where both would hand
/// out the same one next. `subject` tells what the judgement of a sequence goes by.
///
/// Of three sequences, a move past one may lead to the other: then all are looked at again.
pub async fn look_at_shared<'a>(
    connections: &mut [BoundedConnection],
    shared: &[SharedColumn],
    reports: &mut [Arc<SequenceReport>],
    context: SharedContext<'a>,
    subject: impl Fn(&'a Sequence) -> Subject<'a>,
) {
    // Each round moves one past another, so with so many none is left.
    for _ in 0..=shared.len() {
        if !look_once(connections, shared, reports, context, &subject).await {
            return;
        }
    }
}

/// Looks at each pair once, and returns whether a sequence was moved.
async fn look_once<'a>(
    connections: &mut [BoundedConnection],
    shared: &[SharedColumn],
    reports: &mut [Arc<SequenceReport>],
    context: SharedContext<'a>,
    subject: &impl Fn(&'a Sequence) -> Subject<'a>,
) -> bool {
    let mut has_moved = false;
    for pair in shared {
        let (whole, part) = (&context.sequences[pair.whole], &context.sequences[pair.part]);
        let position = |name: &str| reports.iter().position(|report| *report.name == *name);
        let (Some(first), Some(second)) = (position(&whole.name), position(&part.name)) else { continue };
        let (Some(one), Some(other)) =
            (reports[first].next_value_after_pass(), reports[second].next_value_after_pass())
        else {
            continue;
        };
        let meet = will_meet((whole.parameters.increment, one), (part.parameters.increment, other));
        if !meet || !is_unique(connections, part, &pair.feed, context.repair.timeouts).await {
            continue;
        }
        for (index, partner) in [(first, part), (second, whole)] {
            let report = Arc::make_mut(&mut reports[index]);
            let reason = meeting_reason(&partner.name, &pair.feed, &whole.name);
            if !report.reasons().any(|known| *known == reason) {
                report.add_reason(reason);
            }
        }
        if one == other {
            let moved = step_beyond(connections, subject(whole), reports[first].observed_only, context.repair).await;
            has_moved |= moved.as_ref().is_some_and(|moved| moved.outcome == Outcome::Repaired);
            add_step(Arc::make_mut(&mut reports[first]), moved, &part.name, one);
        }
    }
    has_moved
}

/// Whether a value that is taken makes an insert into this column fail.
async fn is_unique(
    connections: &mut [BoundedConnection],
    sequence: &Sequence,
    feed: &FeedReport,
    timeouts: Timeouts,
) -> bool {
    let source = readable(sequence).find(|(other, _)| other.report == *feed).map(|(_, source)| source);
    let (Some(connection), Some(source)) = (connections.first_mut(), source) else { return false };
    match read_keys(connection, &[source], timeouts).await {
        Ok(keys) => keys.iter().any(|keys| keys.unique),
        Err(error) => {
            tracing::debug!(sequence = &*sequence.name, %error, "the keys of a shared column are not known");
            false
        }
    }
}

/// Whether two sequences, each with its increment and next value, hand out the same value some day.
fn will_meet((one, first): (i64, i64), (other, second): (i64, i64)) -> bool {
    let distance = i128::from(first) - i128::from(second);
    let common = greatest_common_divisor(one.unsigned_abs(), other.unsigned_abs());
    one.signum() == other.signum() && distance % i128::from(common) == 0
}

fn greatest_common_divisor(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { greatest_common_divisor(b, a % b) }
}

fn meeting_reason(partner: &str, feed: &FeedReport, whole: &str) -> Reason {
    let FeedReport { column, link, .. } = feed;
    let text = format!(
        "{partner} hands out values for the same column, {column}: the two will meet, and then an insert fails; let one \
         sequence feed it"
    );
    let reason = Reason::new(ReasonKind::SharedColumn, text);
    let table_and_column = column.rsplit_once('.');
    match (link, table_and_column) {
        (Link::Serial | Link::Default, Some((table, column))) => {
            let sequence = pgmedic_core::quote_literal(whole);
            let statement = format!("ALTER TABLE {table} ALTER COLUMN {column} SET DEFAULT nextval({sequence})");
            reason.with_fix(Fix::Sql(statement))
        }
        _ => reason,
    }
}

/// Moves the sequence past its next value, which another one hands out next too; none when it cannot be read again.
async fn step_beyond(
    connections: &mut [BoundedConnection],
    subject: Subject<'_>,
    observed_only: bool,
    context: &RepairContext,
) -> Option<RepairReport> {
    let progress = Progress::default();
    let seen = observe(connections, &[subject.sequence], 0, context.timeouts, &progress).await.pop()??.ok()?;
    let next = seen.position.next_number();
    let taken = Found::Block { nearest: next, end: next, charged: 0, ids: None };
    let task = RepairTask::new(subject, Looked::walked(seen, taken), Headroom::default(), observed_only);
    repair(connections, vec![task], context, &progress).await.pop().map(|repaired| repaired.report)
}

fn add_step(report: &mut SequenceReport, moved: Option<RepairReport>, partner: &str, value: i64) {
    let Some(moved) = moved else { return };
    let text = format!("{partner} hands out {value} next too, for the same column: the second insert fails");
    match &mut report.repair {
        Some(repair) if repair.outcome == Outcome::Repaired && moved.outcome == Outcome::Repaired => {
            repair.next_value = moved.next_value;
            repair.duration_seconds += moved.duration_seconds;
        }
        Some(_) => {}
        None => {
            if report.verdict == Verdict::InSync {
                report.verdict = Verdict::Behind;
                report.lag = Some(1);
            }
            report.repair = Some(Box::new(moved));
        }
    }
    let meeting = report.reason.replace(Box::new(Reason::new(ReasonKind::SharedColumn, text)));
    report.notes.splice(0..0, meeting.map(|reason| *reason));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_of_one_direction_meet_unless_their_classes_differ() {
        assert!(will_meet((1, 101), (1, 101)));
        assert!(will_meet((1, 7), (1, 5000)));
        assert!(!will_meet((2, 1), (2, 10)), "odd and even");
        assert!(will_meet((2, 1), (3, 10)));
        assert!(!will_meet((1, 1), (-1, -1)));
        assert!(will_meet((i64::MAX, i64::MIN), (1, i64::MAX)));
    }
}
