//! Undeclared block allocators: a sequence with a wide step beside ids of all residue classes.
//!
//! The catalog does not tell a multi-master's residue class from an application's blocks. Where ids of most other classes lie
//! just before or behind the next value, the report says so.

use super::batch_plan::{Batch, BatchPlan};
use super::feed_toml::{allocator_line, feed_toml};
use crate::db::BoundedConnection;
use crate::report::SequenceReport;
use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::sequence::model::{Feed, FeedSource, Sequence};
use pgmedic_core::sequence::probe::{Probe, ProbePart};
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts};
use sqlx::Row;
use std::sync::Arc;

/// Frameworks take blocks of ten or more (EF Core's default; Hibernate's is 50).
const SMALLEST_BLOCK: u64 = 10;

/// Adds to `reports`, in the order of `sequences`, which of them may be used in blocks that are not declared.
pub async fn look_for_blocks(
    connections: &mut [BoundedConnection],
    sequences: &[&Sequence],
    reports: &mut [Arc<SequenceReport>],
    timeouts: Timeouts,
) {
    let Some(connection) = connections.iter_mut().find(|connection| connection.lost().is_none()) else { return };
    for (sequence, report) in sequences.iter().zip(reports) {
        let next = report.next_value_after_pass();
        let (Some(next), Some((feed, source))) = (next, block_candidate(sequence)) else { continue };
        let Some(window) = taken_window(connection, sequence, source, next, timeouts).await else { continue };
        let reason = undeclared_block(sequence, feed, window);
        Arc::make_mut(report).add_reason(reason);
    }
}

/// The feed whose ids may be blocks: the sequence's step is wide, and no allocator is stated.
fn block_candidate(sequence: &Sequence) -> Option<(&Feed, &FeedSource)> {
    if sequence.parameters.increment.unsigned_abs() < SMALLEST_BLOCK {
        return None;
    }
    sequence.feeds.iter().find_map(|feed| {
        let source = feed.source.as_ref().ok()?;
        let quick = source.rare.by_member.is_none() && source.rare.unindexed.is_none() && !source.alone;
        (source.rare.stated_allocator.is_none() && quick).then_some((feed, source))
    })
}

/// The ids between two values, and how many of them are taken.
#[derive(Debug, Clone, Copy)]
struct Window {
    first: i64,
    last: i64,
    taken: i64,
}

/// The step before or behind the next value, where at least half of it is taken; none when it cannot be read.
async fn taken_window(
    connection: &mut BoundedConnection,
    sequence: &Sequence,
    source: &FeedSource,
    next: i64,
    timeouts: Timeouts,
) -> Option<Window> {
    let step = i64::try_from(sequence.parameters.increment.unsigned_abs()).ok()?;
    let windows =
        [(next.checked_sub(step - 1)?, next.checked_sub(1)?), (next.checked_add(1)?, next.checked_add(step - 1)?)];
    let part = ProbePart { source, member: None, own_values: None };
    let batch = Batch::single(Probe { sequence: 0, parts: vec![part], block: None });
    let plan = BatchPlan::new(&batch, &[sequence], connection.server(), timeouts);
    let (table, column) = (source.table(), source.column());
    let count = |(first, last)| {
        format!("(SELECT count(*) FROM {table} WHERE {column} BETWEEN '{first}'::bigint AND '{last}'::bigint)")
    };
    // The read of the probe itself keeps the guard, the table and its name together.
    let statements: Vec<String> = plan.statements().cloned().collect();
    let counts = format!("SELECT {}", windows.map(count).join(", "));
    let result =
        connection.run_transaction("blocks", plan.mode, plan.timeouts, statements.into_iter().chain([counts])).await;
    if let Some(failure) = result.failure {
        tracing::debug!(sequence = &*sequence.name, %failure, "not looked for blocks");
        return None;
    }
    let row = result.answers.last()?.first()?;
    let found = windows
        .iter()
        .enumerate()
        .map(|(index, (first, last))| Some(Window { first: *first, last: *last, taken: row.try_get(index).ok()? }));
    found.flatten().find(|window| window.taken * 2 >= step - 1)
}

fn undeclared_block(sequence: &Sequence, feed: &Feed, window: Window) -> Reason {
    let Window { first, last, taken } = window;
    let (increment, column) = (sequence.parameters.increment, &feed.report.column);
    let text = format!(
        "{taken} ids of {column} lie between {first} and {last}, which INCREMENT {increment} leaves out: where an application \
         makes ids from one value, as Hibernate and EF Core do, its inserts may fail; state the allocator"
    );
    let reason = Reason::new(ReasonKind::Allocator, text);
    let names = sequence.name.parse().ok().zip(column.parse().ok());
    match names.and_then(|(sequence, column)| feed_toml(&sequence, &column, None)) {
        Some(toml) => reason.with_fix(Fix::Configuration(toml + &allocator_line(Allocator::Pooled))),
        None => reason,
    }
}
