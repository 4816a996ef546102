//! The configuration as it is written, before its values are judged.
//!
//! No `Debug`: URLs are still plain text here.

use serde::{Deserialize, Serialize};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Raw {
    #[serde(default)]
    pub databases: Vec<RawDatabase>,
    pub sequences: RawSequences,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<RawStore>,
    pub http: RawHttp,
    pub log: RawLog,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawDatabase {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSequences {
    pub schedule: String,
    pub listen_notify: bool,
    pub repair: bool,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub headroom: i64,
    pub advance_limit: i64,
    pub max_repair_ratio: f64,
    pub lock_timeout: String,
    pub statement_timeout: String,
    pub full_pass_every: i64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub feeds: Vec<RawFeed>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFeed {
    pub sequence: Option<String>,
    pub column: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub database: Option<String>,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStore {
    pub name: Option<String>,
    pub database: Option<String>,
    pub preset: Option<String>,
    pub table: Option<String>,
    pub expires_at: Option<String>,
    pub last_activity: Option<String>,
    pub idle_timeout: Option<String>,
    pub created_at: Option<String>,
    pub absolute_timeout: Option<String>,
    pub encoding: Option<String>,
    pub time_zone: Option<String>,
    pub action: Option<String>,
    pub revoke: Option<RawRevoke>,
    pub user: Option<String>,
    pub max_per_user: Option<i64>,
    pub schedule: Option<String>,
    pub batch_size: Option<i64>,
    pub grace_period: Option<String>,
    pub max_ended_ratio: Option<f64>,
    pub guard_min_sessions: Option<i64>,
    pub sweep_timeout: Option<String>,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRevoke {
    pub column: Option<String>,
    pub value: Option<RawScalar>,
}

/// Booleans and numbers first: a text would take neither.
#[derive(Clone, Deserialize, Serialize)]
#[serde(untagged)]
pub(super) enum RawScalar {
    Switch(bool),
    Whole(i64),
    Text(String),
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHttp {
    pub listen: String,
}

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLog {
    pub format: String,
    pub level: String,
}
