//! Observes, judges and repairs a group of sequences.

use super::evidence::{Inquiry, new_drifts};
use super::findings::{Judged, count_repair, finding};
use super::look::look;
use super::memory::SequenceMemory;
use super::moves::{Headroom, next_move};
use super::observe::observe;
use super::pass_state::SequencePassState;
use super::repair::{RepairContext, RepairTask, Repaired, repair};
use super::single_look::Subject;
use super::uncounted::look_at_uncounted;
use crate::config::Sequences;
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::progress::Progress;
use crate::report::{Outcome, SequenceReport, Verdict};
use pgmedic_core::sequence::ahead::Basis;
use pgmedic_core::sequence::judgement::{Memory, Settings, Wishes};
use pgmedic_core::sequence::model::Sequence;
use std::sync::Arc;
use std::time::Instant;

/// Most sequences of a group: what is known of each between its first read and its report takes a kilobyte. Who was behind the
/// drifts of a later group is asked after the repairs of the earlier ones.
pub const GROUP: usize = 2_000;

/// What an examination goes by.
#[derive(Debug, Clone, Copy)]
pub struct ExamineContext<'a> {
    pub settings: &'a Sequences,
    pub options: &'a PassOptions,
    pub repair: &'a RepairContext,
    pub progress: &'a Progress,
}

/// Examines `group`, and adds what was found to `reports`, in the same order. Returns how often each was read.
pub async fn examine(
    connections: &mut [BoundedConnection],
    group: &[&Sequence],
    context: &ExamineContext<'_>,
    state: &mut SequencePassState,
    reports: &mut Vec<Arc<SequenceReport>>,
) -> Vec<u32> {
    let ExamineContext { settings, options, repair: repair_context, progress } = *context;
    let timeouts = repair_context.timeouts;
    let seen = observe(connections, group, options.headroom, timeouts, progress).await;
    let reads: Vec<u32> = seen
        .iter()
        .map(|seen| seen.as_ref().and_then(|seen| seen.as_ref().ok()).map_or(0, |seen| seen.reads))
        .collect();
    let now = Instant::now();
    let subjects: Vec<Subject<'_>> = group
        .iter()
        .zip(&seen)
        .map(|(sequence, seen)| {
            if let (Some(Ok(seen)), Some(memory)) = (seen, state.memory_mut(sequence)) {
                memory.observed(&seen.position, now);
            }
            context.subject(sequence, state, now)
        })
        .collect();
    let looked = look(connections, &subjects, seen, timeouts, progress).await;
    let (first, mut tasks, mut behind) = (reports.len(), Vec::new(), Vec::new());
    for (index, (subject, looked)) in subjects.iter().zip(looked).enumerate() {
        let sequence = subject.sequence;
        let judged: Judged = looked.map(|looked| {
            looked.map(|looked| {
                let next = next_move(&looked, &subject.basis, context.headroom(sequence));
                (looked, next)
            })
        });
        let mut finding = finding(sequence, &judged, settings);
        if let (Some(Ok((looked, _))), Some(pace)) = (&judged, subject.basis.wishes.pace) {
            finding.days_left = looked.seen.position.days_left(pace);
        }
        if let (Some(Ok((looked, _))), Verdict::Behind) = (judged, finding.verdict) {
            finding.cause = Some(state.cause(sequence, &looked.seen.position));
            tasks.push(RepairTask::new(*subject, looked, context.headroom(sequence), finding.observed_only));
            behind.push(index);
        }
        reports.push(state.same_finding(sequence, &finding).unwrap_or_else(|| Arc::new(finding)));
    }
    let reports = &mut reports[first..];
    let (asked, drifted) = new_drifts(group, reports, state);
    // Sessions go on, so they are asked before the repair; statistics stay, and the repair does not wait for them.
    let inquiry = Inquiry::begin(&mut connections[0], drifted, timeouts).await;
    let repairs = repair(connections, tasks, repair_context, progress).await;
    for (index, repaired) in behind.into_iter().zip(repairs) {
        let Repaired { report: repair, position } = repaired;
        if let Some(memory) = state.memory_mut(group[index]) {
            memory.charge(repair.charged, repair.early);
            match (repair.outcome, repair.next_value) {
                (_, Some(next)) => memory.moved_to(&position, next),
                (Outcome::Failed, None) => memory.moved_somewhere(),
                (_, None) => {}
            }
        }
        // The Arc is still unique: make_mut does not clone.
        let finding = Arc::make_mut(&mut reports[index]);
        finding.repair = Some(Box::new(repair));
        count_repair(finding, group[index], &position, settings);
    }
    for (index, evidence) in asked.into_iter().zip(inquiry.finish(&mut connections[0], timeouts).await) {
        Arc::make_mut(&mut reports[index]).evidence = Some(Box::new(evidence));
    }
    let more = look_at_uncounted(connections, &subjects, reports, timeouts).await;
    reads.into_iter().zip(more).map(|(reads, more)| reads + more).collect()
}

impl ExamineContext<'_> {
    /// The headroom of the run replaces the configured one.
    fn headroom(&self, sequence: &Sequence) -> Headroom {
        let (schema, name) = sequence.name_parts();
        let of_rule = self.settings.rule(&schema, &name).and_then(|rule| rule.headroom);
        Headroom { configured: of_rule.unwrap_or(self.settings.headroom), of_run: self.options.headroom }
    }

    /// A sequence, and what its judgement goes by.
    pub fn subject<'s>(&self, sequence: &'s Sequence, state: &SequencePassState, now: Instant) -> Subject<'s> {
        let Sequences { advance_limit, max_repair_ratio, .. } = *self.settings;
        let memory = state.memory(sequence);
        let basis = Basis {
            settings: Settings { advance_limit, max_repair_ratio },
            memory: memory.map_or(Memory::RunOnly { charged: 0 }, SequenceMemory::memory),
            wishes: Wishes {
                approved: self.options.approves(sequence),
                session_store: self.options.feeds_store(sequence),
                pace: memory.and_then(|memory| memory.pace(now)),
            },
            known_next: state.known_next(sequence),
        };
        Subject { sequence, basis, seed: state.seed(sequence) }
    }
}
