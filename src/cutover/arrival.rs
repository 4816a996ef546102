//! Whether rows arrive: judges the subscriptions, and waits until what was written before has arrived.

use super::published::left_out;
use super::replication::{Slot, Subscribed, mark, slots, subscriptions};
use super::report::SubscriptionReport;
use crate::db::BoundedConnection;
use pgmedic_core::name::QuotedIdent;
use pgmedic_core::{Fix, Reason, ReasonKind, Timeouts, quote_literal};
use std::time::{Duration, Instant};

/// How long to wait until the rows that were written before have arrived. A subscriber confirms at least every 10 seconds
/// (`wal_receiver_status_interval`), and sooner while it works.
const CATCH_UP: Duration = Duration::from_secs(12);
const PAUSE: Duration = Duration::from_millis(100);

/// The log may stand behind the header of a page that has nothing else in it yet.
const PAGE_HEADER: i64 = 40;

/// What is known of the way from OLD to NEW.
#[derive(Debug, Default)]
pub struct Arrival {
    /// The subscriptions of NEW.
    pub subscriptions: Vec<SubscriptionReport>,
    /// What stands against a cutover.
    pub reasons: Vec<Reason>,
    /// What stands against it unless it is meant.
    pub differences: Vec<Reason>,
    pub notes: Vec<Reason>,
    subscribed: Vec<Subscribed>,
}

impl Arrival {
    /// Whether NEW receives from OLD.
    pub fn receives(&self) -> bool {
        self.subscriptions.iter().any(|subscription| subscription.from_old == Some(true))
    }

    /// Adds what OLD does not publish for the subscriptions that receive from it.
    async fn add_left_out(&mut self, old: &mut BoundedConnection, timeouts: Timeouts) {
        let from_old = self.subscriptions.iter().filter(|one| one.from_old == Some(true));
        let elsewhere = from_old.clone().any(|one| one.kind != "logical");
        let is_from_old = |one: &&Subscribed| from_old.clone().any(|other| other.name == one.subscription);
        let subscribed: Vec<&Subscribed> = self.subscribed.iter().filter(is_from_old).collect();
        match left_out(old, &subscribed, elsewhere, timeouts).await {
            Ok(left_out) => {
                self.reasons.extend(left_out.wrongly);
                self.differences.extend(left_out.as_stated);
            }
            Err(error) => {
                self.reasons.push(Reason::from(error).while_doing("the publications of OLD cannot be read"));
            }
        }
    }
}

/// Waits until what OLD wrote before has arrived at NEW, for a while, and says how far that is.
pub async fn arrival(old: &mut BoundedConnection, new: &mut BoundedConnection, timeouts: Timeouts) -> Arrival {
    let mark = match mark(old, timeouts).await {
        Ok(mark) => mark,
        Err(error) => {
            let reason = Reason::from(error).while_doing("how far OLD has written cannot be read");
            return Arrival { reasons: vec![reason], ..Arrival::default() };
        }
    };
    let started = Instant::now();
    loop {
        let mut arrival = look(old, new, &mark, timeouts).await;
        let waits = arrival.subscriptions.iter().any(may_catch_up);
        if !waits || started.elapsed() > CATCH_UP || old.lost().is_some() || new.lost().is_some() {
            arrival.add_left_out(old, timeouts).await;
            return arrival;
        }
        new.sleep_unless_cancelled(PAUSE).await;
    }
}

/// Looks once.
async fn look(old: &mut BoundedConnection, new: &mut BoundedConnection, mark: &str, timeouts: Timeouts) -> Arrival {
    let found = subscriptions(new, "NEW", timeouts).await;
    let mut arrival = Arrival { subscriptions: found.found, reasons: found.unread, ..Arrival::default() };
    match slots(old, mark, timeouts).await {
        Ok(slots) => arrival.subscriptions.iter_mut().for_each(|subscription| measure(subscription, &slots)),
        Err(error) => arrival.reasons.push(Reason::from(error).while_doing("the slots of OLD cannot be read")),
    }
    arrival.reasons.extend(arrival.subscriptions.iter().filter_map(problem));
    arrival.notes.extend(arrival.subscriptions.iter().filter_map(note));
    arrival.subscribed = found.subscribed;
    if arrival.subscriptions.is_empty() && arrival.reasons.is_empty() {
        let text = "NEW has no subscription, so whether all rows of OLD have arrived is not known";
        arrival.notes.push(Reason::new(ReasonKind::Replication, text));
    }
    arrival
}

/// Adds what the slot on OLD tells. A subscription whose slot is not there receives from another server.
fn measure(subscription: &mut SubscriptionReport, slots: &[Slot]) {
    let slot = slots.iter().find(|slot| subscription.slot.as_ref() == Some(&slot.name));
    subscription.from_old = Some(slot.is_some());
    if let Some(slot) = slot {
        subscription.working = Some(slot.active && subscription.working != Some(false));
        subscription.lag_bytes = Some(slot.behind.max(0));
        subscription.behind_mark = Some(if slot.behind_mark <= PAGE_HEADER { 0 } else { slot.behind_mark });
    }
}

/// Whether a short wait can end what stands against it.
fn may_catch_up(subscription: &SubscriptionReport) -> bool {
    subscription.enabled
        && subscription.unready_tables == 0
        && subscription.from_old == Some(true)
        && (subscription.working == Some(false) || subscription.behind_mark.is_some_and(|bytes| bytes > 0))
}

fn problem(subscription: &SubscriptionReport) -> Option<Reason> {
    let SubscriptionReport { name, kind, enabled, working, unready_tables, unready_names, behind_mark, .. } =
        subscription;
    let reason = |text: String| Some(Reason::new(ReasonKind::Replication, text));
    if subscription.from_old == Some(false) {
        let text = format!("subscription {name} of NEW does not receive, and OLD has no slot for it");
        return if *working == Some(false) { reason(text) } else { None };
    }
    if !enabled {
        let fix = match *kind {
            "pglogical" => format!("SELECT pglogical.alter_subscription_enable({})", quote_literal(name)),
            _ => format!("ALTER SUBSCRIPTION {} ENABLE", QuotedIdent(name)),
        };
        let reason = reason(format!("subscription {name} of NEW is disabled: rows of OLD do not arrive"))?;
        return Some(reason.with_fix(Fix::Sql(fix)));
    }
    if *unready_tables > 0 {
        let names = unready_names.as_deref().unwrap_or_default();
        let more = if *unready_tables > 3 { ", …" } else { "" };
        return reason(format!(
            "subscription {name} of NEW has {unready_tables} tables that are not copied yet: {names}{more}"
        ));
    }
    if *working == Some(false) {
        return reason(format!("subscription {name} of NEW is enabled and does not receive; the log of NEW says why"));
    }
    let behind = behind_mark.filter(|bytes| *bytes > 0)?;
    let text = format!(
        "subscription {name} of NEW has not confirmed what OLD wrote before this run: {behind} bytes are missing; wait, and \
         run again"
    );
    Some(Reason::new(ReasonKind::ReplicationLag, text))
}

fn note(subscription: &SubscriptionReport) -> Option<Reason> {
    let elsewhere = subscription.from_old == Some(false) && subscription.working != Some(false);
    let text = format!(
        "subscription {} of NEW receives from another database: OLD has no slot {}",
        subscription.name,
        subscription.slot.as_deref().unwrap_or("for it")
    );
    elsewhere.then(|| Reason::new(ReasonKind::Replication, text))
}
