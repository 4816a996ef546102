//! pgmedic keeps PostgreSQL inserts from failing because a sequence fell behind its table: it compares every
//! sequence with the ids it feeds and repairs drift, and never moves a sequence backwards. It also sweeps out sessions
//! that are over.
//!
//! | room | what is in it |
//! |---|---|
//! | [`cli`] | the command line |
//! | [`run`] | what the command line asks for, done |
//! | [`demo`] | a throwaway PostgreSQL, and the story on it |
//! | [`config`] | settings by section, layering, validation, redaction |
//! | [`agent`] | the daemon: schedule, leadership, shutdown; calls the passes |
//! | [`once`] | the one-shot run; calls the passes |
//! | [`grants`] | the least privileges for the configured work, as SQL |
//! | [`login`] | second line of defence: inserts that repair themselves, a session store, the same for SQL |
//! | [`sequences`] | the pass: discover, observe, judge, repair, report |
//! | [`sessions`] | sweeps of session stores: check, look, judge, end what is over |
//! | [`orders`] | what a run asks of its passes |
//! | [`report`] | what a pass found and did; table and JSON renderings |
//! | [`metrics`] | the agent's own registry; made from reports |
//! | [`http`] | the status page, metrics, probes, the last reports |
//! | [`db`] | connecting, timeouts, error classes |
//! | [`telemetry`] | logs |
//!
//! Calls go down this list only: the passes know nothing of who calls them.

pub mod agent;
pub mod cli;
pub mod clock;
pub mod commands;
pub mod config;
pub mod db;
#[cfg(feature = "demo")]
pub mod demo;
pub mod grants;
pub mod http;
pub mod logging;
pub mod metrics;
pub mod once;
pub mod pass_options;
pub mod progress;
#[cfg(test)]
mod proptest_config;
pub mod report;
pub mod sequences;
pub mod sessions;
pub mod state;
pub mod terminal;
