//! What the log tells, as the JSON form has it.

use crate::build_info;
use crate::report::{DatabaseLabel, SCHEMA};
use pgmedic_core::Reason;
use serde::Serialize;

#[derive(Debug, Serialize)]
pub struct HistoryReport {
    schema: u32,
    version: &'static str,
    pub databases: Vec<DatabaseHistory>,
}

/// The log of one database.
#[derive(Debug, Serialize)]
pub struct DatabaseHistory {
    #[serde(flatten)]
    pub name: DatabaseLabel,
    /// Why its log could not be read.
    pub error: Option<Reason>,
    /// The newest first.
    pub entries: Vec<HistoryEntry>,
    /// There are older ones.
    pub more: bool,
}

/// A row of `pgmedic.repair_log`.
#[derive(Debug, Serialize)]
pub struct HistoryEntry {
    /// In UTC, as ISO 8601 has it.
    pub at: String,
    pub sequence: String,
    pub source: String,
    pub role: String,
    pub outcome: String,
    pub from_value: Option<i64>,
    pub to_value: Option<i64>,
    pub charged: Option<i64>,
    pub early: Option<bool>,
    pub cause: Option<String>,
    pub evidence: Option<serde_json::Value>,
}

impl HistoryReport {
    pub fn new(databases: Vec<DatabaseHistory>) -> Self {
        Self { schema: SCHEMA, version: build_info::VERSION, databases }
    }

    /// Whether every log could be read.
    pub fn is_complete(&self) -> bool {
        self.databases.iter().all(|database| database.error.is_none())
    }
}
