//! What is logged of session stores: what was ended, and everything else once each.

use super::change_log::without_digits;
use crate::report::SessionReport;
use std::collections::HashMap;

/// The gist of what was said last of each store that is not well.
#[derive(Debug, Default)]
pub struct SessionChangeLog {
    told: HashMap<String, Vec<String>>,
}

impl SessionChangeLog {
    /// Info when sessions were ended, warn when a sweep was held or could work better, error when it failed.
    pub fn note(&mut self, database: &str, report: &SessionReport) {
        let store = report.name.as_str();
        let (expired, superseded) = (report.expired, report.superseded);
        if expired + superseded > 0 {
            tracing::info!(database, store, expired, superseded, "sessions of {store} were ended");
        }
        let before = self.told.remove(store).unwrap_or_default();
        let mut told = Vec::new();
        let mut tell = |said: String, tell: &dyn Fn(&str)| {
            let gist = without_digits(&said);
            if !before.contains(&gist) {
                tell(&said);
            }
            told.push(gist);
        };
        if let Some(reason) = &report.error {
            tell(format!("{store} cannot be swept: {reason}"), &|said| tracing::error!(database, store, "{said}"));
        }
        if let Some(reason) = &report.held {
            tell(format!("the sweep of {store} is held: {reason}"), &|said| tracing::warn!(database, store, "{said}"));
        }
        for warning in &report.warnings {
            tell(format!("{store}: {warning}"), &|said| tracing::warn!(database, store, "{said}"));
        }
        self.told.insert(store.to_owned(), told);
    }
}
