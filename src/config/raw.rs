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
    pub listen: bool,
    pub repair: bool,
    pub include: Vec<String>,
    pub exclude: Vec<String>,
    pub headroom: i64,
    pub advance_limit: i64,
    pub max_leap_ratio: f64,
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
