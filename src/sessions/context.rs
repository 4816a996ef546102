//! What a pass knows of one store.

use super::statements::SweepSql;
use super::store::ResolvedStore;
use super::times::Times;
use crate::config::SessionStoreConfig;

/// One store in one pass: what is configured, what the catalog says, the times by which it is judged, and its SQL.
#[derive(Debug, Clone, Copy)]
pub struct StoreContext<'a> {
    pub config: &'a SessionStoreConfig,
    pub resolved: &'a ResolvedStore,
    pub times: &'a Times,
    pub sql: SweepSql<'a>,
}

impl<'a> StoreContext<'a> {
    pub fn new(config: &'a SessionStoreConfig, resolved: &'a ResolvedStore, times: &'a Times) -> Self {
        Self { config, resolved, times, sql: SweepSql { store: resolved, encoding: &config.encoding, times } }
    }
}
