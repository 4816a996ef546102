//! The pass: check, look, judge, sweep, report, for each store of one database.

use super::check::check;
use super::look::{Look, bounds_at, clock, look, shown};
use super::memory::{Known, Memory, Swept};
use super::policy::{self, Guard, cutoff, exceeds};
use super::statements::Statements;
use super::sweep::{Done, Sweep};
use crate::config::{Database, SessionStore};
use crate::db::{Bounds, Session};
use crate::orders::Orders;
use crate::report::SessionReport;
use futures_util::FutureExt;
use std::panic::AssertUnwindSafe;
use std::time::Instant;

/// One pass over these stores of one database. What went wrong is in the reports, of which there is always one for each
/// store. `memory` is what the pass before left, and is left for the next.
pub async fn pass(
    database: &Database,
    stores: &[&SessionStore],
    bounds: Bounds,
    orders: &Orders,
    memory: &mut Memory,
) -> Vec<SessionReport> {
    if stores.is_empty() {
        return Vec::new();
    }
    let connected = match database.connect_options() {
        Ok(options) => Session::connect(&options, bounds, &orders.stop).await.map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let mut session = match connected {
        Ok(session) => session,
        Err(reason) => return not_reached(stores, &reason),
    };
    let mut reports = Vec::with_capacity(stores.len());
    for store in stores {
        let started = Instant::now();
        let mut report = empty(store);
        let mut work = Work { session: &mut session, store, bounds, orders, memory, report: &mut report };
        // A server may send what makes the driver panic; that must cost no other store its pass.
        let result = AssertUnwindSafe(work.all()).catch_unwind().await;
        let panicked = "the pass panicked, most likely on what the server sent: please report this";
        report.error = result.unwrap_or_else(|_| Err(panicked.to_owned())).err();
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
pub fn not_reached(stores: &[&SessionStore], reason: &str) -> Vec<SessionReport> {
    stores.iter().map(|store| SessionReport { error: Some(reason.to_owned()), ..empty(store) }).collect()
}

fn empty(store: &SessionStore) -> SessionReport {
    SessionReport { name: store.name.clone(), table: store.table.to_string(), ..SessionReport::default() }
}

/// The pass over one store.
struct Work<'a> {
    session: &'a mut Session,
    store: &'a SessionStore,
    bounds: Bounds,
    orders: &'a Orders,
    memory: &'a mut Memory,
    report: &'a mut SessionReport,
}

/// What a pass may end.
struct Leave<'a> {
    /// Sessions that are over by these bounds.
    expire: Option<&'a super::statements::Bounds>,
    supersede: Option<u32>,
}

impl Work<'_> {
    async fn all(&mut self) -> Result<(), String> {
        let (store, bounds) = (self.store, self.bounds);
        let found = check(self.session, store, bounds).await?;
        self.report.table.clone_from(&found.table);
        self.report.warnings.clone_from(&found.warnings);
        if let Some(danger) = &found.danger {
            return Err(danger.clone());
        }
        let read_only = self.session.server().read_only;
        let look_only = self.orders.dry_run || read_only.is_some();
        // Whoever only looks needs no more than that.
        let for_sweep = found.missing_to_sweep.as_ref().filter(|_| !look_only);
        if let Some(grant) = found.missing_to_look.as_ref().or(for_sweep) {
            return Err(format!("a privilege is missing: {grant}"));
        }
        self.report.warnings.extend(found.missing_to_sweep.iter().map(|grant| format!("to sweep: {grant}")));
        let now = clock(self.session, bounds).await?;
        let known = self.memory.of(&store.name).cloned();
        let first_look = self.memory.is_lasting() && known.is_none();
        let at = cutoff(now, known.as_ref().map(|known| known.clock), store.grace);
        let cut = bounds_at(self.session, store, at, bounds).await?;
        let by_now = bounds_at(self.session, store, now, bounds).await?;
        let now_shown = shown(self.session, &store.encoding, &[now], bounds).await?;
        let now_shown = now_shown.first().copied().unwrap_or(now);
        let statements = Statements { store: &found, encoding: &store.encoding, now, now_shown };
        let swept = known.as_ref().and_then(|known| known.swept.as_ref());
        let seen = look(self.session, (store, &found), &statements, &cut, &by_now, swept, bounds).await?;

        let leave = self.judge(&seen, &cut, swept.map(|swept| &swept.bounds));
        self.tell(&seen, 0, 0);
        if let Some(why) = read_only {
            self.report.warnings.push(format!("{why}: observed only"));
        }
        let mut keep = Known { clock: now, swept: swept.cloned() };
        let sweeps = !(look_only || first_look);
        // Remembered before it is done: what is over was seen to be, whatever becomes of the sweep. A pass that only
        // looks knows as well who is live.
        if leave.expire.is_some_and(|bounds| *bounds == cut) {
            let gone = if sweeps { leave.supersede.map_or(0, |_| seen.superseded) } else { 0 };
            let left = seen.complete.then_some(seen.numbers.stale);
            keep.swept = Some(Swept { bounds: cut.clone(), left, live: seen.live.saturating_sub(gone) });
        }
        self.memory.note(&store.name, keep);
        if sweeps { self.sweep(&statements, &cut, &seen, leave).await } else { Ok(()) }
    }

    /// What may go, as far as no guard says no; and says which did.
    fn judge<'b>(
        &mut self,
        seen: &Look,
        cut: &'b super::statements::Bounds,
        swept: Option<&'b super::statements::Bounds>,
    ) -> Leave<'b> {
        let store = self.store;
        let floor = u64::from(store.guard_floor);
        let mut held = Vec::new();
        let mut leave = Leave { expire: Some(cut), supersede: store.keep_newest.filter(|_| seen.superseded > 0) };
        if let Some(doubt) = &seen.doubt {
            held.push(format!("{doubt}: correct the configuration if that is wrong"));
            leave = Leave { expire: None, supersede: None };
        } else {
            match policy::guard(seen.numbers, store.max_fraction, floor) {
                None => {}
                Some(Guard::NoneLeft) => {
                    held.push(format!(
                        "all {} sessions would go, and none be left: correct the configuration if that is wrong",
                        seen.numbers.stale
                    ));
                    leave.expire = None;
                }
                Some(Guard::TooMany { fresh, of, backlog_may_go }) => {
                    held.push(format!(
                        "{fresh} of the {of} sessions that were live at the last look would go at once, more than \
                         max_fraction ({}): find out why, a clock perhaps",
                        store.max_fraction
                    ));
                    leave.expire = swept.filter(|_| backlog_may_go);
                }
            }
            let (superseded, live) = (seen.superseded, seen.live);
            if seen.superseded_of_one > floor {
                held.push(format!(
                    "keep_newest would end {} sessions of one user alone: correct `user` if that is nobody's own, such as \
                     0 for all who are not logged in",
                    seen.superseded_of_one
                ));
                leave.supersede = None;
            } else if superseded > floor && exceeds(superseded, live, store.max_fraction) {
                held.push(format!(
                    "keep_newest would end {superseded} of {live} live sessions, more than max_fraction ({}): correct \
                     `user` if it does not say whose a session is",
                    store.max_fraction
                ));
                leave.supersede = None;
            }
        }
        if held.is_empty() {
            return leave;
        }
        if self.orders.approves_store(&store.name) {
            self.report.approved = true;
            return Leave { expire: Some(cut), supersede: store.keep_newest };
        }
        let name = crate::report::shell_word(&store.name);
        self.report.held = Some(format!("{}; else run pgmedic --once --approve {name}", held.join("; and ")));
        leave
    }

    async fn sweep(
        &mut self,
        statements: &Statements<'_>,
        cut: &super::statements::Bounds,
        seen: &Look,
        leave: Leave<'_>,
    ) -> Result<(), String> {
        let mut sweep = Sweep {
            session: self.session,
            store: self.store,
            statements,
            bounds: self.bounds,
            stop: &self.orders.stop,
            until: Instant::now() + self.store.sweep_timeout,
        };
        let expired = match leave.expire {
            Some(bounds) => sweep.expire(bounds).await,
            None => Done::default(),
        };
        let superseded = match leave.supersede {
            Some(keep) if expired.failure.is_none() => sweep.supersede(cut, keep).await,
            _ => Done::default(),
        };
        if expired.unfinished || superseded.unfinished {
            let limit = humantime::format_duration(self.store.sweep_timeout);
            self.report.warnings.push(format!("not all could be swept within sweep_timeout ({limit}): more next time"));
        }
        self.memory.ended(&self.store.name, expired.ended);
        self.tell(seen, expired.ended, superseded.ended);
        expired.failure.or(superseded.failure).map_or(Ok(()), Err)
    }

    fn tell(&mut self, seen: &Look, expired: u64, superseded: u64) {
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
