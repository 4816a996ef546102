//! The pass over one store: resolve, inspect, guard, sweep, report.

use super::blocked::{Blocked, more_over_reason};
use super::clock::read_times;
use super::columns_check::check_values;
use super::context::StoreContext;
use super::deadline::Deadline;
use super::guards::{Expire, SweepCounts, SweepLimits, SweepPlan, allowed};
use super::inspect::{StoreInspection, count_superseded, inspect_store, recount};
use super::pages::PagePosition;
use super::pass_state::{KnownStore, LastSweep, SessionPassState};
use super::reasons::{
    held_reason, hold_reason, implausible_hold, kinds_hold, locked_reason, locked_superseded_reason, unfinished_reason,
};
use super::store::{ResolvedStore, SweepGuard, resolve_store};
use super::sweep::{Sweep, SweepResult};
use crate::config::SessionStoreConfig;
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::report::SessionReport;
use futures_util::FutureExt;
use pgmedic_core::{Reason, ReasonKind, Timeouts};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// What a pass found and did in one store.
pub struct Swept {
    pub report: SessionReport,
    /// Sessions are left because rows refer to them.
    pub is_referred_to: bool,
}

impl Swept {
    /// Of the sessions, by this pass.
    pub fn ended(&self) -> u64 {
        self.report.expired + self.report.superseded
    }
}

/// One pass over one store. `state` is what the previous pass left, and is updated for the next.
pub async fn pass_over_store(
    connection: &mut BoundedConnection,
    store: &SessionStoreConfig,
    timeouts: Timeouts,
    options: &PassOptions,
    state: &mut SessionPassState,
) -> Swept {
    let started = Instant::now();
    let mut swept = Swept { report: empty_report(store), is_referred_to: false };
    let mut pass = StorePass { connection, store, timeouts, options, state, swept: &mut swept };
    // A server may send what makes the driver panic; the passes over other stores go on.
    let error = match AssertUnwindSafe(pass.run()).catch_unwind().await {
        Ok(result) => result.err(),
        Err(_) => {
            let text = "the pass panicked, most likely on what the server sent: please report this";
            Some(Reason::new(ReasonKind::Internal, text))
        }
    };
    swept.report.error = error;
    swept.report.duration_seconds = started.elapsed().as_secs_f64();
    swept
}

/// A report of a store that says nothing yet.
pub fn empty_report(store: &SessionStoreConfig) -> SessionReport {
    SessionReport { name: store.name.clone(), table: store.table.to_string(), ..SessionReport::default() }
}

/// The pass over one store.
struct StorePass<'a> {
    connection: &'a mut BoundedConnection,
    store: &'a SessionStoreConfig,
    timeouts: Timeouts,
    options: &'a PassOptions,
    state: &'a mut SessionPassState,
    swept: &'a mut Swept,
}

impl StorePass<'_> {
    async fn run(&mut self) -> Result<(), Reason> {
        let resolved = resolve_store(self.connection, self.store, self.timeouts).await?;
        self.swept.report.table.clone_from(&resolved.table);
        self.swept.report.takes_along.clone_from(&resolved.effects.takes_along);
        self.swept.report.warnings.clone_from(&resolved.warnings);
        let read_only = self.connection.server().read_only;
        let may_sweep = !self.options.dry_run && read_only.is_none();
        self.check_rights(&resolved, may_sweep)?;
        check_values(self.connection, &resolved, self.timeouts).await?;

        let known = self.state.get(&self.store.name).cloned();
        let first_look = self.state.is_lasting() && known.is_none();
        let was_swept = known.as_ref().is_some_and(|known| known.was_swept);
        let first = known.as_ref().map(|known| known.next).unwrap_or_default();
        let previous = known.as_ref().map(|known| known.clock);
        let last = known.and_then(|known| known.last_sweep);
        let times = read_times(self.connection, self.store, previous, self.timeouts).await?;
        let context = StoreContext::new(self.store, &resolved, &times);
        let inspection = inspect_store(self.connection, &context, last.as_ref(), !was_swept, self.timeouts).await?;

        self.swept.report.warnings.extend(inspection.warnings.iter().cloned());
        let plan = self.apply_guards(&resolved, &inspection);
        // What its triggers do is known only when they have run.
        self.swept.report.approved |= resolved.is_checked() && self.options.approves_store(&self.store.name);
        let SweepCounts { stale, live, superseded, .. } = inspection.counts;
        self.record_counts(inspection.complete.then_some((stale, live)));
        if self.options.dry_run {
            self.swept.report.would_end = inspection.complete.then_some(stale + superseded);
        }
        if let Some(why) = read_only {
            self.report_read_only(why, stale + superseded);
        }
        let sweeps = may_sweep && !first_look;
        // Before the sweep: the next pass may end what was seen to be over, even if this sweep fails.
        self.remember(&context, &inspection, last.clone(), was_swept, plan, sweeps);
        if !sweeps {
            return Ok(());
        }
        self.sweep(&context, &inspection, last.as_ref(), plan, first).await
    }

    /// That nothing can be ended here. A run that was to end sessions has not done so.
    fn report_read_only(&mut self, why: &str, left: u64) {
        let report = &mut self.swept.report;
        if left == 0 || self.options.dry_run || self.state.is_lasting() || report.held.is_some() {
            report.warnings.push(Reason::new(ReasonKind::ReadOnly, format!("{why}: observed only")));
        } else {
            report.approved = false;
            let way = match self.connection.server().is_replica {
                true => "run it on the primary",
                false => {
                    "reset default_transaction_read_only, by ALTER ROLE or ALTER DATABASE, or in the connection string"
                }
            };
            let text = format!("{why}, so none of the {left} sessions that are to end could be: {way}");
            report.held = Some(Reason::new(ReasonKind::ReadOnly, text));
        }
    }

    /// Code of other roles, and missing privileges. A pass that only looks needs no privilege to sweep.
    fn check_rights(&mut self, resolved: &ResolvedStore, may_sweep: bool) -> Result<(), Reason> {
        if let Some(reason) = resolved.untrusted_code.as_ref().or(resolved.effects.refusal.as_ref()) {
            return Err(reason.clone());
        }
        if let Some(reason) = &resolved.missing_to_look {
            return Err(reason.clone());
        }
        match &resolved.missing_to_sweep {
            Some(reason) if may_sweep => return Err(reason.clone()),
            Some(reason) => self.swept.report.warnings.push(reason.clone().while_doing("to sweep")),
            None => {}
        }
        Ok(())
    }

    /// What may be ended; reports which guards hold the rest.
    fn apply_guards(&mut self, resolved: &ResolvedStore, inspection: &StoreInspection) -> SweepPlan {
        let max_ended_ratio = self.store.max_ended_ratio;
        let (mut plan, mut holds) = match &inspection.implausible {
            // The counts mean nothing then.
            Some(implausible) => (SweepPlan::NOTHING, vec![implausible_hold(implausible)]),
            None => {
                let min_sessions = u64::from(self.store.guard_min_sessions);
                let (plan, holds) = allowed(&inspection.counts, SweepLimits { max_ended_ratio, min_sessions });
                (plan, holds.into_iter().map(|hold| hold_reason(hold, max_ended_ratio)).collect())
            }
        };
        if let Some(column) = &inspection.kind {
            plan = SweepPlan::NOTHING;
            holds.push(kinds_hold(column, inspection.counts.stale));
        }
        let takes_along = &resolved.effects.holds;
        let mut blocks = resolved.effects.blocks.clone();
        blocks.extend(inspection.unspent.iter().map(|unspent| unspent.hold(resolved)));
        if !blocks.is_empty() || !takes_along.is_empty() {
            plan = SweepPlan::NOTHING;
            holds.extend(takes_along.iter().cloned());
        }
        let held = held_reason(&blocks, &holds, &self.store.name);
        if held.is_some() && blocks.is_empty() && self.options.approves_store(&self.store.name) {
            self.swept.report.approved = true;
            return SweepPlan::EVERYTHING;
        }
        self.swept.report.held = held;
        plan
    }

    /// Leaves the clock, and how far the store is swept, for the next pass.
    fn remember(
        &mut self,
        context: &StoreContext<'_>,
        inspection: &StoreInspection,
        last: Option<LastSweep>,
        was_swept: bool,
        plan: SweepPlan,
        sweeps: bool,
    ) {
        let counts = &inspection.counts;
        let last_sweep = if plan.expire == Expire::All {
            let superseded = if sweeps && plan.supersede { counts.superseded } else { 0 };
            Some(LastSweep {
                cutoffs: context.times.cutoff.clone(),
                left: inspection.complete.then_some(counts.stale),
                live: counts.live.saturating_sub(superseded),
            })
        } else {
            last
        };
        let was_swept = was_swept || sweeps && plan.expire == Expire::All;
        self.state.remember(
            &self.store.name,
            KnownStore { clock: context.times.now, last_sweep, was_swept, next: PagePosition::default() },
        );
    }

    async fn sweep(
        &mut self,
        context: &StoreContext<'_>,
        inspection: &StoreInspection,
        last: Option<&LastSweep>,
        plan: SweepPlan,
        first: PagePosition,
    ) -> Result<(), Reason> {
        let started = Instant::now();
        let deadline = Deadline::new(self.store.sweep_timeout, self.state.is_lasting());
        let mut sweep = Sweep {
            connection: self.connection,
            context,
            timeouts: self.timeouts,
            cancel: &self.options.cancel,
            started,
            deadline,
            is_approved: self.options.approves_store(&self.store.name),
            guard: SweepGuard::Unchanged,
            expired_before: inspection.counts.stale,
            first,
            most_expired: (inspection.complete && context.resolved.is_checked()).then_some(inspection.counts.stale),
        };
        let cutoffs = match plan.expire {
            Expire::All => Some(&context.times.cutoff),
            Expire::Backlog => last.map(|last| &last.cutoffs),
            Expire::Nothing => None,
        };
        let postponed = self.state.postponed(&self.store.name);
        let (mut over, mut superseded) = postponed.left_alone();
        // What is not there any more is not waited for.
        if inspection.complete && inspection.counts.stale == 0 {
            over = Blocked::default();
        }
        if inspection.counts.superseded == 0 {
            superseded = Blocked::default();
        }
        let most_expired = sweep.most_expired;
        let expired = match cutoffs {
            Some(cutoffs) => sweep.expire(cutoffs, over).await,
            None => SweepResult::default(),
        };
        let superseded = match &context.resolved.per_user {
            Some(limit) if plan.supersede && expired.error.is_none() && expired.hold.is_none() => {
                sweep.supersede(limit, superseded).await
            }
            _ => SweepResult::default(),
        };
        let took = started.elapsed();
        let ended = expired.ended + superseded.ended;
        self.swept.report.expired = expired.ended;
        self.swept.report.superseded = superseded.ended;
        self.state.subtract_ended(&self.store.name, expired.ended);
        let next = if expired.unfinished { expired.next } else { PagePosition::default() };
        self.state.go_on_at(&self.store.name, next);
        let blocked = [&expired.blocked, &superseded.blocked];
        self.swept.is_referred_to = blocked.iter().any(|blocked| blocked.is_by_foreign_key());
        let blocked = blocked.iter().find_map(|blocked| blocked.reason());
        let (unfinished, is_swept) = (expired.unfinished || superseded.unfinished, !expired.unfinished);
        let error = expired.error.or(superseded.error).or(blocked);
        if let Some(hold) = expired.hold.or(superseded.hold) {
            self.swept.report.held = held_reason(&[], &[hold], &self.store.name);
        }
        if cutoffs.is_some() {
            self.state
                .postpone(&self.store.name, postponed.after(expired.blocked, superseded.blocked, context.times.now));
        }
        // What the table holds, and not what follows from the counts before: other rows may have gone along.
        let left = if ended > 0 && self.connection.lost().is_none() {
            match recount(self.connection, context, self.timeouts).await {
                Ok(left) => left,
                Err(reason) => return Err(error.unwrap_or(reason)),
            }
        } else {
            inspection.complete.then_some((inspection.counts.stale, inspection.counts.live))
        };
        self.record_counts(left);
        if let (Some((1.., _)), true) = (left, most_expired.is_some_and(|most| expired.ended >= most.max(1))) {
            let hold = more_over_reason(context.resolved);
            self.swept.report.held = held_reason(&[], &[hold], &self.store.name);
        }
        if unfinished && !self.options.cancel.is_cancelled() {
            self.swept.report.warnings.push(unfinished_reason(left.map(|(stale, _)| stale), ended, took));
        }
        let is_swept = is_swept && error.is_none() && self.swept.report.held.is_none() && plan.expire == Expire::All;
        if let (Some((stale @ 1.., _)), true, false) = (left, is_swept, self.state.is_lasting()) {
            self.swept.report.warnings.push(locked_reason(stale));
        }
        if !unfinished && error.is_none() && plan.supersede && !self.state.is_lasting() {
            self.warn_of_locked_superseded(context, inspection.counts.superseded.saturating_sub(superseded.ended))
                .await?;
        }
        error.map_or(Ok(()), Err)
    }

    /// Says how many superseded sessions are left, of which the sweep missed `missed`: others have locked them.
    async fn warn_of_locked_superseded(&mut self, context: &StoreContext<'_>, missed: u64) -> Result<(), Reason> {
        let Some(limit) = context.resolved.per_user.as_ref().filter(|_| missed > 0) else { return Ok(()) };
        let (left, _) = count_superseded(self.connection, context, limit, self.timeouts).await?;
        if left > 0 {
            self.swept.report.warnings.push(locked_superseded_reason(left, limit.max));
        }
        Ok(())
    }

    /// Reports how many sessions are over, and how many live; none where they are not known.
    fn record_counts(&mut self, counts: Option<(u64, u64)>) {
        self.swept.report.stale = counts.map(|(stale, _)| stale);
        self.swept.report.live = counts.map(|(_, live)| live);
        self.swept.report.remaining = counts.map(|(stale, live)| stale + live);
    }
}
