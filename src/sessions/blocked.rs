//! The sessions that cannot be ended, and why.

use super::reasons::explain_sweep_error;
use super::statements::Address;
use super::store::{EndAction, ResolvedStore, SweepTrigger};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts};

/// After so many that cannot be ended, and none that can, the rest is not tried.
const HOPELESS: usize = 8;

/// More are not looked for: each costs several transactions.
const MOST: usize = 2000;

/// Why a batch was rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchFailure {
    Query(QueryError),
    /// A trigger kept sessions that were to be ended.
    Kept,
    /// A trigger deleted other sessions with them.
    DeletedMore,
}

/// The sessions of one sweep that cannot be ended.
#[derive(Debug, Default)]
pub struct Blocked {
    addresses: Vec<Address>,
    reasons: Vec<(Reason, u64)>,
    gave_up: bool,
}

impl Blocked {
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    pub fn add(&mut self, address: Address, reason: Reason) {
        self.addresses.push(address);
        match self.reasons.iter_mut().find(|(known, _)| *known == reason) {
            Some((_, count)) => *count += 1,
            None => self.reasons.push((reason, 1)),
        }
    }

    /// Whether it is not worth going on, after `ended` sessions were ended.
    pub fn is_hopeless(&mut self, ended: u64) -> bool {
        self.gave_up = self.addresses.len() >= MOST || ended == 0 && self.addresses.len() >= HOPELESS;
        self.gave_up
    }

    /// The reasons as one, with the counts; the fix is that of the most frequent.
    pub fn reason(mut self) -> Option<Reason> {
        self.reasons.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let (first, _) = self.reasons.first()?;
        let parts: Vec<String> =
            self.reasons.iter().map(|(reason, count)| format!("{count}: {}", reason.text)).collect();
        let tried = if self.gave_up { ", and the rest was not tried" } else { "" };
        let text = format!("sessions that could not be ended{tried}: {}", parts.join("; "));
        Some(Reason { kind: first.kind, text, fix: first.fix.clone() })
    }
}

/// Why a batch failed, with the fix that the catalog tells.
pub fn explain_failure(failure: &BatchFailure, store: &ResolvedStore, timeouts: Timeouts) -> Reason {
    let triggers = &store.effects.triggers;
    let error = match failure {
        BatchFailure::Query(error) => error,
        BatchFailure::Kept => {
            let keeping: Vec<&SweepTrigger> = triggers.iter().filter(|trigger| trigger.may_keep_rows).collect();
            let hint = match store.action {
                EndAction::Delete => ": sessions that are to stay in the table are ended by `revoke`",
                EndAction::Set { .. } | EndAction::Stamp(_) => "",
            };
            let text = format!("a trigger keeps the session as it is ({}){hint}", names(&keeping));
            return Reason::new(ReasonKind::TriggerKeepsRows, text);
        }
        BatchFailure::DeletedMore => {
            let all: Vec<&SweepTrigger> = triggers.iter().collect();
            let text = format!("a trigger deletes other sessions with it, which may be live ({})", names(&all));
            return Reason::new(ReasonKind::TakesAlong, text);
        }
    };
    if let Some(reason) = trigger_reason(error, triggers) {
        return reason;
    }
    let mut reason = explain_sweep_error(error, timeouts);
    if reason.kind == ReasonKind::ForeignKey {
        reason.fix = store.foreign_key_fix();
    }
    if reason.kind == ReasonKind::StatementTimeout {
        // Each deletion reads whole tables by a foreign key without an index.
        if let Some(missing) = store.effects.warnings.iter().find(|warning| warning.kind == ReasonKind::MissingIndex) {
            reason = Reason::new(ReasonKind::StatementTimeout, format!("{}; {}", reason.text, missing.text));
            reason.fix.clone_from(&missing.fix);
        }
    }
    reason
}

/// That a trigger failed, if it can have been one. pgmedic's transactions have the search path `pg_catalog`, so that names
/// without a schema in its function are not found.
fn trigger_reason(error: &QueryError, triggers: &[SweepTrigger]) -> Option<Reason> {
    let all: Vec<&SweepTrigger> = triggers.iter().collect();
    if all.is_empty() {
        return None;
    }
    let (is_unknown_name, message) = match error {
        QueryError::UndefinedObject(message) => (true, message.clone()),
        QueryError::Server { code, message } if ["42883", "42704"].contains(&code.as_str()) => (true, message.clone()),
        QueryError::Server { code, .. } if code.starts_with("P0") => (false, format!("SQLSTATE {code}")),
        _ => return None,
    };
    if !is_unknown_name {
        return Some(Reason::new(
            ReasonKind::TriggerFailed,
            format!("a trigger failed with {message} ({})", names(&all)),
        ));
    }
    let unpinned: Vec<&SweepTrigger> =
        all.iter().copied().filter(|trigger| trigger.search_path_fix.is_some()).collect();
    let shown = if unpinned.is_empty() { &all } else { &unpinned };
    let text = format!(
        "a trigger failed ({}): {message}; pgmedic works with search_path = pg_catalog, and the function names no schema",
        names(shown)
    );
    let reason = Reason::new(ReasonKind::TriggerFailed, text);
    let mut fixes: Vec<&str> = unpinned.iter().filter_map(|trigger| trigger.search_path_fix.as_deref()).collect();
    fixes.dedup();
    Some(if fixes.is_empty() { reason } else { reason.with_fix(Fix::Sql(fixes.join("; "))) })
}

/// `note on public.sessions, which runs public.note()`
fn names(triggers: &[&SweepTrigger]) -> String {
    let names: Vec<String> = triggers
        .iter()
        .map(|trigger| format!("{} on {}, which runs {}", trigger.name, trigger.relation, trigger.function))
        .collect();
    names.join("; ")
}
