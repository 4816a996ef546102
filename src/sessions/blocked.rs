//! The sessions that cannot be ended, and why.

use super::reasons::explain_sweep_error;
use super::statements::Address;
use super::store::{EndAction, ResolvedStore, SweepTrigger};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts};
use std::collections::HashSet;
use std::ops::RangeBounds;
use std::time::{Duration, UNIX_EPOCH};

/// After so many that cannot be ended, and none that can, a few others are tried, and then none.
const HOPELESS: u64 = 8;

/// More addresses are not left out of a statement.
const MOST: usize = 20_000;

/// Why a batch was rolled back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchFailure {
    Query(QueryError),
    /// A trigger kept sessions that were to be ended.
    Kept,
    /// A trigger deleted or updated other sessions with them.
    ChangedMore,
    /// A trigger deleted rows of these other tables with them.
    TookAlong(String),
    /// Sessions cannot be ended one by one: the role may not use PL/pgSQL.
    NoLanguage,
}

/// The sessions of one sweep that cannot be ended.
#[derive(Debug, Clone, Default)]
pub struct Blocked {
    /// Of those that the next batch would find again.
    addresses: Vec<Address>,
    /// Of all of them.
    all: HashSet<Address>,
    reasons: Vec<BlockedReason>,
    gave_up: bool,
    /// When they were tried, in microseconds since 1970; none for those of this pass.
    tried_at: Option<i64>,
}

/// Why some sessions cannot be ended, and how many they are. `failure` is what the server says of each of them.
#[derive(Debug, Clone)]
struct BlockedReason {
    failure: String,
    reason: Reason,
    count: u64,
}

impl Blocked {
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// The same sessions at the beginning of another look for those that are over: none of them is tried again.
    pub fn all_again(&self) -> Self {
        let addresses = self.all.iter().map(Address::at_any_time).collect();
        Self {
            addresses,
            all: self.all.clone(),
            reasons: self.reasons.clone(),
            gave_up: false,
            tried_at: self.tried_at,
        }
    }

    /// The same sessions in a later pass, which leaves them alone since they were tried at that time.
    pub fn since(&self, tried_at: i64) -> Self {
        Self { tried_at: Some(tried_at), ..self.all_again() }
    }

    /// How many they are.
    pub fn count(&self) -> u64 {
        self.reasons.iter().map(|known| known.count).sum()
    }

    /// Whether a row that refers to one of them may be what keeps it.
    pub fn is_by_foreign_key(&self) -> bool {
        self.reasons.iter().any(|known| known.reason.kind == ReasonKind::ForeignKey)
    }

    /// Adds a session whose reason is known by its failure; else returns its address.
    pub fn add_known(&mut self, failure: &str, address: Address) -> Option<Address> {
        if self.all.contains(&address) {
            return None;
        }
        let Some(known) = self.reasons.iter_mut().find(|known| known.failure == failure) else { return Some(address) };
        known.count += 1;
        self.all.insert(address.clone());
        self.addresses.push(address);
        None
    }

    pub fn add(&mut self, failure: String, address: Address, reason: Reason) {
        self.all.insert(address.clone());
        self.addresses.push(address);
        match self.reasons.iter_mut().find(|known| known.reason == reason) {
            Some(known) => known.count += 1,
            None => self.reasons.push(BlockedReason { failure, reason, count: 1 }),
        }
    }

    /// The batches find sessions in this range of times only from now on, in microseconds since 1970.
    pub fn forget_outside(&mut self, range: impl RangeBounds<i64>) {
        self.addresses.retain(|address| address.at.is_none_or(|at| range.contains(&at)));
    }

    /// The batches find sessions from this page of the table on only.
    pub fn forget_before(&mut self, page: u32) {
        self.addresses.retain(|address| address.page().is_none_or(|of_address| of_address >= page));
    }

    pub fn are_many(&self) -> bool {
        self.count() >= HOPELESS
    }

    /// Whether it is not worth going on, after `ended` sessions were ended.
    pub fn is_hopeless(&mut self, ended: u64) -> bool {
        self.gave_up = self.addresses.len() >= MOST || ended == 0 && self.are_many();
        self.gave_up
    }

    /// The reasons as one, with the counts; the fix is that of the most frequent.
    pub fn reason(&self) -> Option<Reason> {
        let mut reasons: Vec<&BlockedReason> = self.reasons.iter().collect();
        reasons.sort_by_key(|known| std::cmp::Reverse(known.count));
        let first = &reasons.first()?.reason;
        let parts: Vec<String> =
            reasons.iter().map(|known| format!("{}: {}", known.count, known.reason.text)).collect();
        let tried = if self.gave_up { ", and the rest was not tried" } else { "" };
        let when = self.tried_at.map_or_else(String::new, |at| format!(" when they were last tried, at {}", utc(at)));
        let text = format!("sessions that could not be ended{when}{tried}: {}", parts.join("; "));
        Some(Reason { kind: first.kind, text, fix: first.fix.clone() })
    }
}

/// A time in microseconds since 1970 as UTC, such as `2026-01-15T12:00:00Z`.
fn utc(at: i64) -> String {
    let since_epoch = Duration::from_micros(u64::try_from(at).unwrap_or_default());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since_epoch).to_string()
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
        BatchFailure::ChangedMore => {
            let text = format!(
                "a trigger deletes, changes or adds other sessions with it, which may be live ({})",
                all_names(store)
            );
            return Reason::new(ReasonKind::TakesAlong, text);
        }
        BatchFailure::TookAlong(tables) => {
            let text = format!("a trigger deletes rows of {tables} with the sessions ({})", all_names(store));
            return Reason::new(ReasonKind::TakesAlong, text);
        }
        BatchFailure::NoLanguage => {
            let text = "a batch failed, and to end its sessions one by one the role needs USAGE ON LANGUAGE plpgsql";
            return Reason::new(ReasonKind::MissingPrivilege, text)
                .with_fix(Fix::Sql(format!("GRANT USAGE ON LANGUAGE plpgsql TO {}", store.role)));
        }
    };
    if let Some(reason) = trigger_reason(error, store) {
        return reason;
    }
    let mut reason = explain_sweep_error(error, timeouts);
    if reason.kind == ReasonKind::ForeignKey {
        let defaults = &store.effects.set_default;
        match store.foreign_key_fix() {
            None if !defaults.is_empty() => {
                let text = format!("{}, or the default of {} must refer to a row", reason.text, defaults.join(" and "));
                reason = Reason::new(ReasonKind::ForeignKey, text);
            }
            fix => reason.fix = fix,
        }
    }
    if let QueryError::Server { code, message } = error
        && code == "55000"
        && message.contains("replica identity")
    {
        return reason.with_fix(Fix::Sql(format!("ALTER TABLE {} REPLICA IDENTITY FULL", store.table)));
    }
    if reason.kind == ReasonKind::StatementTimeout && !triggers.is_empty() {
        reason.text = format!("{}; its triggers run within that time ({})", reason.text, all_names(store));
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

/// That more sessions are over, after as many were ended as were over before.
pub fn more_over_reason(store: &ResolvedStore) -> Reason {
    let text = format!(
        "as many sessions were ended as were over when the sweep began, and others are over now, as if a trigger ended them with \
         these ({})",
        all_names(store)
    );
    Reason::new(ReasonKind::TakesAlong, text)
}

/// That a trigger failed, if it can have been one. pgmedic's transactions have the search path `pg_catalog`, so that names
/// without a schema in its function are not found, unless that has a search path itself.
fn trigger_reason(error: &QueryError, store: &ResolvedStore) -> Option<Reason> {
    let all: Vec<&SweepTrigger> = store.effects.triggers.iter().collect();
    if all.is_empty() {
        return None;
    }
    let failed = |why: &str| {
        let text = format!("a trigger failed with {why} ({})", names(&all));
        Some(Reason::new(ReasonKind::TriggerFailed, text))
    };
    let sets_a_value = matches!(store.action, EndAction::Set { .. });
    let message = match error {
        QueryError::UndefinedObject(message) => message,
        QueryError::Server { code, message } if ["42883", "42704"].contains(&code.as_str()) => message,
        QueryError::UndefinedColumn(message) => return failed(&format!("SQLSTATE 42703: {message}")),
        QueryError::Raised { code } => return failed(&format!("SQLSTATE {code}")),
        QueryError::PermissionDenied(message) => {
            let text = format!("{message}, which a trigger needs, running with pgmedic's rights ({})", names(&all));
            return Some(Reason::new(ReasonKind::TriggerFailed, text));
        }
        // A foreign key, or the value of `revoke`.
        QueryError::Server { code, .. } if code == "23503" || sets_a_value && code.starts_with("22") => return None,
        // The server's own messages about constraints hold no values.
        QueryError::Server { code, message } if code.starts_with("23") => return failed(message),
        QueryError::Server { code, .. } if !["53", "57", "58"].iter().any(|class| code.starts_with(class)) => {
            return failed(&format!("SQLSTATE {code}"));
        }
        _ => return None,
    };
    let unpinned: Vec<&SweepTrigger> = all.iter().copied().filter(|trigger| trigger.has_no_search_path).collect();
    if unpinned.is_empty() {
        return failed(message);
    }
    let fixes: Option<Vec<&str>> = unpinned.iter().map(|trigger| trigger.search_path_fix.as_deref()).collect();
    let mut fixes = fixes.unwrap_or_default();
    fixes.dedup();
    let way = match fixes.is_empty() {
        true => "write the schemas of its tables into it",
        false => "the fix gives it the search_path that all sessions begin with, also where one has set another",
    };
    let text = format!(
        "a trigger failed ({}): {message}; pgmedic works with search_path = pg_catalog, and the function names no schema: {way}",
        names(&unpinned)
    );
    let reason = Reason::new(ReasonKind::TriggerFailed, text);
    Some(if fixes.is_empty() { reason } else { reason.with_fix(Fix::Sql(fixes.join("; "))) })
}

/// All triggers that run when a session is ended.
fn all_names(store: &ResolvedStore) -> String {
    names(&store.effects.triggers.iter().collect::<Vec<_>>())
}

/// `note on public.sessions, which runs public.note()`
fn names(triggers: &[&SweepTrigger]) -> String {
    let names: Vec<String> = triggers
        .iter()
        .map(|trigger| format!("{} on {}, which runs {}", trigger.name, trigger.relation, trigger.function))
        .collect();
    names.join("; ")
}
