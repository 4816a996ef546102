//! The pass: check, look, judge, sweep, report, for each store of one database.

use super::guards::{self, SweepGuard, exceeds};
use super::inspect::{StoreInspection, cutoffs_at, database_now, inspect_store, local_times};
use super::pass_state::{KnownStore, LastSweep, SessionPassState};
use super::statements::SweepSql;
use super::store::{PerUserLimit, resolve_store};
use super::sweep::{Sweep, SweepResult};
use super::times::cutoff;
use crate::config::{Database, SessionStoreConfig};
use crate::db::BoundedConnection;
use crate::pass_options::PassOptions;
use crate::report::SessionReport;
use futures_util::FutureExt;
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts};
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// One pass over these stores of one database. What went wrong is in the reports, of which there is always one for each
/// store. `memory` is what the pass before left, and is left for the next.
pub async fn pass(
    database: &Database,
    stores: &[&SessionStoreConfig],
    bounds: Timeouts,
    orders: &PassOptions,
    memory: &mut SessionPassState,
) -> Vec<SessionReport> {
    if stores.is_empty() {
        return Vec::new();
    }
    let connected = match database.connect_options() {
        Ok(options) => BoundedConnection::connect(&options, bounds, &orders.cancel)
            .await
            .map_err(|error| Reason::new(ReasonKind::Unreachable, error.to_string())),
        Err(error) => Err(Reason::new(ReasonKind::Configuration, error.to_string())),
    };
    let mut session = match connected {
        Ok(session) => session,
        Err(reason) => return unreachable_reports(stores, &reason),
    };
    let mut reports = Vec::with_capacity(stores.len());
    for store in stores {
        let started = Instant::now();
        let mut report = empty_report(store);
        let mut work = StorePass { session: &mut session, store, bounds, orders, memory, report: &mut report };
        // A server may send what makes the driver panic; that must cost no other store its pass.
        let result = AssertUnwindSafe(work.run()).catch_unwind().await;
        report.error = match result {
            Ok(result) => result.err(),
            Err(_) => {
                let text = "the pass panicked, most likely on what the server sent: please report this";
                Some(Reason::new(ReasonKind::Internal, text))
            }
        };
        report.duration_seconds = started.elapsed().as_secs_f64();
        tracing::debug!(database = database.name, store = store.name, expired = report.expired, "swept");
        reports.push(report);
    }
    if session.lost().is_none() {
        session.close().await;
    }
    reports
}

/// The reports of stores that could not be looked at.
pub fn unreachable_reports(stores: &[&SessionStoreConfig], reason: &Reason) -> Vec<SessionReport> {
    stores.iter().map(|store| SessionReport { error: Some(reason.clone()), ..empty_report(store) }).collect()
}

fn empty_report(store: &SessionStoreConfig) -> SessionReport {
    SessionReport { name: store.name.clone(), table: store.table.to_string(), ..SessionReport::default() }
}

/// The pass over one store.
struct StorePass<'a> {
    session: &'a mut BoundedConnection,
    store: &'a SessionStoreConfig,
    bounds: Timeouts,
    orders: &'a PassOptions,
    memory: &'a mut SessionPassState,
    report: &'a mut SessionReport,
}

/// What a pass may end.
struct SweepPlan<'a> {
    /// Sessions that are over by these bounds.
    expire: Option<&'a super::statements::Cutoffs>,
    supersede: Option<PerUserLimit>,
}

impl StorePass<'_> {
    async fn run(&mut self) -> Result<(), Reason> {
        let (store, bounds) = (self.store, self.bounds);
        let found = resolve_store(self.session, store, bounds).await?;
        self.report.table.clone_from(&found.table);
        self.report.warnings.clone_from(&found.warnings);
        if let Some(danger) = &found.untrusted_code {
            return Err(danger.clone());
        }
        let read_only = self.session.server().read_only;
        let look_only = self.orders.dry_run || read_only.is_some();
        // Whoever only looks needs no more than that.
        let for_sweep = found.missing_to_sweep.as_ref().filter(|_| !look_only);
        if let Some(grant) = found.missing_to_look.as_ref().or(for_sweep) {
            return Err(grant.clone());
        }
        self.report.warnings.extend(found.missing_to_sweep.clone().map(|reason| reason.while_doing("to sweep")));
        let now = database_now(self.session, bounds).await?;
        let known = self.memory.get(&store.name).cloned();
        let first_look = self.memory.is_lasting() && known.is_none();
        let at = cutoff(now, known.as_ref().map(|known| known.clock), store.grace_period);
        let cut = cutoffs_at(self.session, store, at, bounds).await?;
        let by_now = cutoffs_at(self.session, store, now, bounds).await?;
        let now_shown = local_times(self.session, &store.encoding, &[now], bounds).await?;
        let now_shown = now_shown.first().copied().unwrap_or(now);
        let statements = SweepSql { store: &found, encoding: &store.encoding, now, now_shown };
        let swept = known.as_ref().and_then(|known| known.swept.as_ref());
        let seen = inspect_store(self.session, (store, &found), &statements, &cut, &by_now, swept, bounds).await?;

        let leave = self.apply_guards(&seen, &cut, swept.map(|swept| &swept.bounds), found.per_user.as_ref());
        self.record_counts(&seen, 0, 0);
        if let Some(why) = read_only {
            self.report.warnings.push(Reason::new(ReasonKind::ReadOnly, format!("{why}: observed only")));
        }
        let mut keep = KnownStore { clock: now, swept: swept.cloned() };
        let sweeps = !(look_only || first_look);
        // Remembered before it is done: what is over was seen to be, whatever becomes of the sweep. A pass that only
        // looks knows as well who is live.
        if leave.expire.is_some_and(|bounds| *bounds == cut) {
            let gone = if sweeps { leave.supersede.as_ref().map_or(0, |_| seen.superseded) } else { 0 };
            let left = seen.complete.then_some(seen.numbers.stale);
            keep.swept = Some(LastSweep { bounds: cut.clone(), left, live: seen.live.saturating_sub(gone) });
        }
        self.memory.remember(&store.name, keep);
        if sweeps { self.sweep(&statements, &cut, &seen, leave).await } else { Ok(()) }
    }

    /// What may go, as far as no guard says no; and says which did.
    fn apply_guards<'b>(
        &mut self,
        seen: &StoreInspection,
        cut: &'b super::statements::Cutoffs,
        swept: Option<&'b super::statements::Cutoffs>,
        limit: Option<&PerUserLimit>,
    ) -> SweepPlan<'b> {
        let store = self.store;
        let floor = u64::from(store.guard_min_sessions);
        let mut held = Vec::new();
        let mut leave = SweepPlan { expire: Some(cut), supersede: limit.filter(|_| seen.superseded > 0).cloned() };
        if let Some(doubt) = &seen.doubt {
            held.push((doubt.kind, format!("{}: correct the configuration if that is wrong", doubt.text)));
            leave = SweepPlan { expire: None, supersede: None };
        } else {
            match guards::guard(seen.numbers, store.max_ended_ratio, floor) {
                None => {}
                Some(SweepGuard::NoneLeft) => {
                    let text = format!(
                        "all {} sessions would go, and none be left: correct the configuration if that is wrong",
                        seen.numbers.stale
                    );
                    held.push((ReasonKind::NoneLeft, text));
                    leave.expire = None;
                }
                Some(SweepGuard::TooMany { fresh, of, backlog_may_go }) => {
                    let text = format!(
                        "{fresh} of the {of} sessions that were live at the last look would go at once, more than \
                         max_ended_ratio ({}): find out why, a clock perhaps",
                        store.max_ended_ratio
                    );
                    held.push((ReasonKind::TooManyEnded, text));
                    leave.expire = swept.filter(|_| backlog_may_go);
                }
            }
            let (superseded, live) = (seen.superseded, seen.live);
            if seen.superseded_of_one > floor {
                let text = format!(
                    "max_per_user would end {} sessions of one user alone: correct `user` if its value stands for many, \
                     such as 0 for all who are not logged in",
                    seen.superseded_of_one
                );
                held.push((ReasonKind::TooManyOfOneUser, text));
                leave.supersede = None;
            } else if superseded > floor && exceeds(superseded, live, store.max_ended_ratio) {
                let text = format!(
                    "max_per_user would end {superseded} of {live} live sessions, more than max_ended_ratio ({}): correct \
                     `user` if it does not say whose a session is",
                    store.max_ended_ratio
                );
                held.push((ReasonKind::TooManySuperseded, text));
                leave.supersede = None;
            }
        }
        let Some((kind, _)) = held.first() else { return leave };
        if self.orders.approves_store(&store.name) {
            self.report.approved = true;
            return SweepPlan { expire: Some(cut), supersede: limit.cloned() };
        }
        let name = pgmedic_core::shell_quote(&store.name);
        let texts: Vec<&str> = held.iter().map(|(_, text)| text.as_str()).collect();
        let reason = Reason::new(*kind, format!("{}; else approve the sweep", texts.join("; and ")));
        self.report.held = Some(reason.with_fix(Fix::Command(format!("pgmedic --once --approve {name}"))));
        leave
    }

    async fn sweep(
        &mut self,
        statements: &SweepSql<'_>,
        cut: &super::statements::Cutoffs,
        seen: &StoreInspection,
        leave: SweepPlan<'_>,
    ) -> Result<(), Reason> {
        let mut sweep = Sweep {
            session: self.session,
            store: self.store,
            statements,
            bounds: self.bounds,
            stop: &self.orders.cancel,
            until: Instant::now() + self.store.sweep_timeout,
        };
        let expired = match leave.expire {
            Some(bounds) => sweep.expire(bounds).await,
            None => SweepResult::default(),
        };
        let superseded = match leave.supersede {
            Some(limit) if expired.failure.is_none() => sweep.supersede(cut, &limit).await,
            _ => SweepResult::default(),
        };
        if expired.unfinished || superseded.unfinished {
            let limit = humantime::format_duration(self.store.sweep_timeout);
            let text = format!("not all could be swept within sweep_timeout ({limit}): more next time");
            self.report.warnings.push(Reason::new(ReasonKind::Unfinished, text));
        }
        self.memory.subtract_ended(&self.store.name, expired.ended);
        self.record_counts(seen, expired.ended, superseded.ended);
        expired.failure.or(superseded.failure).map_or(Ok(()), Err)
    }

    fn record_counts(&mut self, seen: &StoreInspection, expired: u64, superseded: u64) {
        self.report.expired = expired;
        self.report.superseded = superseded;
        if seen.complete {
            let stale = seen.numbers.stale.saturating_sub(expired);
            let live = seen.live.saturating_sub(superseded);
            self.report.stale = Some(stale);
            self.report.live = Some(live);
            self.report.remaining = Some(stale + live);
        }
    }
}
