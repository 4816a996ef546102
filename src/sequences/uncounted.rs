//! Columns that a sequence may feed and that do not count: they are looked at after the repairs, so that what they hide is
//! said, and nothing is done about them.

use super::feed_toml::feed_toml;
use super::look::look;
use super::moves::{Headroom, NextMove, next_move};
use super::observe::observe;
use super::single_look::Subject;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use crate::report::{Outcome, RepairReport, SequenceReport, Verdict};
use pgmedic_core::sequence::HoldReason;
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::judgement::Hold;
use pgmedic_core::sequence::model::{Sequence, Uncounted, UncountedFeed};
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts};
use std::sync::Arc;

/// Looks at the columns of `subjects` that do not count, and adds to `reports`, in the same order, what is found. Returns
/// how often each of the sequences was read for this.
pub async fn look_at_uncounted(
    connections: &mut [BoundedConnection],
    subjects: &[Subject<'_>],
    reports: &mut [Arc<SequenceReport>],
    timeouts: Timeouts,
) -> Vec<u32> {
    let mut reads = vec![0; subjects.len()];
    let columns: Vec<(usize, &UncountedFeed)> = subjects
        .iter()
        .enumerate()
        .flat_map(|(index, of)| of.sequence.rare.uncounted.iter().map(move |one| (index, one)))
        .collect();
    if columns.is_empty() {
        return reads;
    }
    let alone: Vec<Sequence> =
        columns.iter().map(|(index, column)| fed_alone(subjects[*index].sequence, column)).collect();
    let progress = Progress::default();
    let seen = observe(connections, &alone.iter().collect::<Vec<_>>(), 0, timeouts, &progress).await;
    let alone: Vec<Subject<'_>> =
        columns.iter().zip(&alone).map(|((index, _), sequence)| Subject { sequence, ..subjects[*index] }).collect();
    let looked = look(connections, &alone, seen, timeouts, &progress).await;
    for (((index, uncounted), subject), looked) in columns.into_iter().zip(&alone).zip(looked) {
        let Some(looked) = looked else { continue };
        let report = Arc::make_mut(&mut reports[index]);
        match looked {
            Ok(looked) => {
                reads[index] += looked.seen.reads;
                let next = next_move(&looked, &subject.basis, Headroom::default());
                add_finding(report, uncounted, &looked, next);
            }
            Err(reason) => {
                let column = &uncounted.feed.report.column;
                report.add_reason(reason.while_doing(&format!("{column}, which does not count, was not looked at")));
            }
        }
    }
    reads
}

/// The same sequence as if it fed this column alone.
fn fed_alone(sequence: &Sequence, uncounted: &UncountedFeed) -> Sequence {
    let mut alone = Sequence { feeds: vec![uncounted.feed.clone()], ..sequence.clone() };
    if let Some(rare) = alone.rare.parts_mut() {
        rare.uncounted.clear();
        rare.notes.clear();
    }
    alone
}

fn add_finding(report: &mut SequenceReport, uncounted: &UncountedFeed, looked: &Looked, next: NextMove) {
    let seen = &looked.seen;
    let lag = match next {
        NextMove::Step(step) => step.to.values,
        // What is so far away, or in a column where no insert fails at it, is no drift.
        NextMove::Held(Hold::FarIds { .. }) => return,
        NextMove::Held(Hold::NoUniqueKey { .. }) if !looked.is_part_of_key() => return,
        NextMove::Held(_) => seen.lag(),
        NextMove::Nothing { .. } | NextMove::Exhausted => return,
    };
    let Some(id) = looked.max_id() else { return };
    let column = &uncounted.feed.report.column;
    let text = format!("id {id} of {column} lies at or beyond the next value {}", seen.position.next());
    report.next_value = report.next_value.or(seen.position.next_value());
    report.max_id = report.max_id.or(Some(id));
    if report.outcome().is_none() {
        report.lag = Some(lag);
    }
    match &uncounted.why {
        Uncounted::Untrusted { owner } => {
            let text = format!(
                "{text}, which the column's default draws: its inserts fail; pgmedic does not move the sequence for it, \
                 because {owner}, the owner of the table, could not do so either; declare the link if it is meant"
            );
            let reason = Reason { fix: declaration(&report.name, column), ..Reason::new(ReasonKind::Ownership, text) };
            hold(report, reason);
        }
        Uncounted::Unstated => report.add_reason(Reason::new(
            ReasonKind::Allocator,
            format!("{text}: inserts fail, unless it is of another residue class"),
        )),
        Uncounted::Owner => {
            let text = format!("{text}: inserts fail, if its default draws from the sequence; then declare the link");
            report.add_reason(Reason {
                fix: declaration(&report.name, column),
                ..Reason::new(ReasonKind::LikelyLink, text)
            });
        }
        Uncounted::Suggested(_) => report.add_reason(Reason::new(
            ReasonKind::LikelyLink,
            format!("{text}: inserts fail, if the sequence feeds this column"),
        )),
    }
}

/// The table that declares the link.
fn declaration(sequence: &str, column: &str) -> Option<Fix> {
    let names = (sequence.parse().ok()?, column.parse().ok()?);
    feed_toml(&names.0, &names.1, None).map(Fix::Configuration)
}

/// Drift remains that is not repaired, also where the columns that count were passed.
fn hold(report: &mut SequenceReport, reason: Reason) {
    report.verdict = match report.verdict {
        Verdict::InSync | Verdict::Unlinked | Verdict::Unsupported => Verdict::Behind,
        verdict => verdict,
    };
    match &mut report.repair {
        None => report.repair = Some(Box::new(RepairReport::held(HoldReason::Ownership, None, reason))),
        Some(repair) if repair.outcome == Outcome::Repaired && repair.held_by.is_none() => {
            repair.held_by = Some(HoldReason::Ownership);
            let before = repair.reason.replace(reason);
            report.notes.extend(before);
        }
        Some(_) => report.add_reason(reason),
    }
}
