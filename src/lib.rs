//! The pgmedic agent: it keeps PostgreSQL inserts from failing because a sequence fell behind its table. It compares
//! every sequence with the ids in the columns that it feeds, repairs drift without ever moving a sequence backwards, and
//! ends expired sessions.
//!
//! This crate is the agent's own code, for its binary, tests and benchmarks, and it may change in every release.
//! **Applications use the crate `pgmedic-login`**: inserts that are repaired and run again, and a session store.
//!
//! Data flows from the configuration through a pass to a report, and from the report to the outputs:
//!
//! | module | contents |
//! |---|---|
//! | [`cli`], [`commands`] | the command line, and the commands |
//! | `demo` | a throwaway PostgreSQL server, and the incident on it |
//! | [`agent`], [`once`] | the agent and the one-shot run; both call the passes |
//! | [`cutover`] | carries the sequences of one database to another before writers move |
//! | [`grants`] | the least privileges for the configured work, as SQL |
//! | [`history`] | what happened to sequences, from `pgmedic.repair_log` |
//! | [`config`], [`pass_options`] | the settings, and the options of one pass |
//! | [`servers`] | the databases of whole servers |
//! | [`sequences`] | the pass over sequences: discover, observe, judge, repair, report |
//! | [`sessions`] | the pass over session stores: check, inspect, judge, end expired sessions |
//! | [`report`] | the result of a pass, as a table and as JSON |
//! | [`state`] | the agent's present state: written by the agent, read by metrics and HTTP |
//! | [`metrics`], [`http`] | Prometheus metrics, and the HTTP endpoint with the status page |
//! | [`webhook`] | posts problems and repairs to a receiver |
//! | [`db`] | connections, timeouts, errors |
//! | [`logging`], [`progress`], [`terminal`], [`clock`] | the log, the progress bar, colors, the system's clock |
//! | [`build_info`] | what the binary was built from |
//!
//! Calls go in one direction: the passes do not depend on their callers.

pub mod cli;
pub mod commands;

#[doc(hidden)]
pub mod agent;
#[doc(hidden)]
pub mod build_info;
#[doc(hidden)]
pub mod clock;
#[doc(hidden)]
pub mod config;
#[doc(hidden)]
pub mod cutover;
#[doc(hidden)]
pub mod db;
#[cfg(feature = "demo")]
#[doc(hidden)]
pub mod demo;
#[doc(hidden)]
pub mod grants;
#[doc(hidden)]
pub mod history;
#[doc(hidden)]
pub mod http;
#[doc(hidden)]
pub mod logging;
#[doc(hidden)]
pub mod metrics;
#[doc(hidden)]
pub mod once;
#[doc(hidden)]
pub mod pass_options;
#[doc(hidden)]
pub mod progress;
#[cfg(test)]
mod proptest_config;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod sequences;
#[doc(hidden)]
pub mod servers;
#[doc(hidden)]
pub mod sessions;
#[doc(hidden)]
pub mod state;
#[doc(hidden)]
pub mod terminal;
#[doc(hidden)]
pub mod webhook;
