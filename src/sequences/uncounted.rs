//! Columns that a sequence may feed and that do not count: they are looked at after the repairs, so that what they hide is
//! said, and nothing is done about them.

use super::feed_toml::feed_toml;
use super::observe::observe;
use crate::db::BoundedConnection;
use crate::progress::Progress;
use crate::report::{Outcome, RepairReport, SequenceReport, Verdict};
use pgmedic_core::sequence::HoldReason;
use pgmedic_core::sequence::model::{Sequence, Uncounted, UncountedFeed};
use pgmedic_core::sequence::observation::Observation;
use pgmedic_core::sequence::position::Comparison;
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts};
use std::sync::Arc;

/// Looks at the columns of `sequences` that do not count, and adds to `reports`, in the same order, what is found. Returns
/// how often each of the sequences was read for this.
pub async fn look_at_uncounted(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    reports: &mut [Arc<SequenceReport>],
    timeouts: Timeouts,
) -> Vec<u32> {
    let mut reads = vec![0; sequences.len()];
    let columns: Vec<(usize, &UncountedFeed)> =
        sequences.iter().enumerate().flat_map(|(index, of)| of.uncounted.iter().map(move |one| (index, one))).collect();
    if columns.is_empty() {
        return reads;
    }
    let alone: Vec<Sequence> = columns.iter().map(|(index, column)| fed_alone(sequences[*index], column)).collect();
    let seen = observe(connections, &alone.iter().collect::<Vec<_>>(), 0, timeouts, &Progress::default()).await;
    for ((index, uncounted), seen) in columns.into_iter().zip(seen) {
        let Some(seen) = seen else { continue };
        let report = Arc::make_mut(&mut reports[index]);
        match seen {
            Ok(observation) => {
                reads[index] += observation.reads;
                add_finding(report, uncounted, &observation);
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
    Sequence { feeds: vec![uncounted.feed.clone()], uncounted: Vec::new(), notes: Vec::new(), ..sequence.clone() }
}

fn add_finding(report: &mut SequenceReport, uncounted: &UncountedFeed, seen: &Observation) {
    let (Comparison::Behind { lag }, Some(id)) = (seen.position.compare(seen.max_id), seen.furthest_id) else { return };
    let column = &uncounted.feed.report.column;
    let next = seen.position.next();
    let text = format!("id {id} of {column} lies at or beyond the next value {next}");
    report.next_value = report.next_value.or(seen.position.next_value());
    report.max_id = report.max_id.or(Some(id));
    if report.outcome().is_none() {
        report.lag = Some(lag);
    }
    match &uncounted.why {
        Uncounted::Untrusted { owner } => {
            let text = format!(
                "{text}, which the column's default draws: inserts will meet it; pgmedic does not move the sequence for it, \
                 because {owner}, the owner of the table, could not do so either; declare the link if it is meant"
            );
            let reason = Reason { fix: declaration(&report.name, column), ..Reason::new(ReasonKind::Ownership, text) };
            hold(report, reason);
        }
        Uncounted::Unstated => report.add_reason(Reason::new(
            ReasonKind::Allocator,
            format!("{text}: inserts will meet it, unless it is of another residue class"),
        )),
        Uncounted::Suggested(_) => report.add_reason(Reason::new(
            ReasonKind::LikelyLink,
            format!("{text}: inserts will meet it, if the sequence feeds this column"),
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
        None => {
            report.repair = Some(RepairReport {
                outcome: Outcome::Held,
                method: None,
                next_value: None,
                held_by: Some(HoldReason::Ownership),
                reason: Some(reason),
                duration_seconds: 0.0,
            });
        }
        Some(repair) if repair.outcome == Outcome::Repaired => {
            repair.outcome = Outcome::Held;
            repair.held_by = Some(HoldReason::Ownership);
            let before = repair.reason.replace(reason);
            report.notes.extend(before);
        }
        Some(_) => report.add_reason(reason),
    }
}
