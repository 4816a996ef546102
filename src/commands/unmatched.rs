//! What a run was told and found no use for: most likely misspelled.

use crate::config::{Pattern, SequenceRule, Settings};
use crate::report::{DatabaseReport, Report};
use pgmedic_core::{TableName, approval_pattern};
use std::collections::BTreeSet;

/// Approvals that had no effect: most likely misspelled.
pub fn unmatched_approvals<'a>(approved: &'a [String], report: &Report) -> impl Iterator<Item = &'a String> {
    let behind: Vec<&str> = report
        .databases
        .iter()
        .flat_map(|database| &database.sequences)
        .filter(|sequence| sequence.repair.is_some())
        .map(|sequence| &*sequence.name)
        .collect();
    let stores: Vec<&str> = report
        .databases
        .iter()
        .flat_map(|database| &database.sessions)
        // What no approval removes stays held, and says so.
        .filter(|store| store.approved || store.held.is_some())
        .map(|store| store.name.as_str())
        .collect();
    let bare = |name: &str| name.replace('"', "");
    let matches = move |approval: &str, known: &str| {
        let parts = known.parse::<TableName>();
        bare(known).eq_ignore_ascii_case(&bare(approval))
            || approval
                .parse::<Pattern>()
                .is_ok_and(|pattern| parts.as_ref().is_ok_and(|parts| pattern.matches(&parts.schema, &parts.name)))
    };
    let is_store = move |name: &str| stores.iter().any(|store| *store == name || approval_pattern(store) == name);
    let approved = approved.iter().filter(move |name| !is_store(name));
    approved.filter(move |name| !behind.iter().any(|known| matches(name, known)))
}

/// Rules that match no sequence of any database: most likely misspelled, or never reached.
pub fn unmatched_rules<'a>(settings: &'a Settings, report: &'a Report) -> impl Iterator<Item = &'a SequenceRule> {
    let applied: BTreeSet<&str> = report.databases.iter().flat_map(DatabaseReport::applied_rules).collect();
    let all_read = report.databases.iter().all(|database| database.error.is_none());
    settings.sequences.rules.iter().filter(move |rule| all_read && !applied.contains(rule.pattern.to_string().as_str()))
}
