//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and dates and clocks are compared with the real ones"
)]

// The product: the binary and the library on real servers.
mod agent;
mod alerts;
mod browser;
mod catalogs;
mod connecting;
mod cutover;
mod demo;
mod deploy;
mod discovery;
mod evidence;
mod faults;
mod feeds;
mod grants;
mod guards;
mod http;
mod judgement;
mod login;
mod metrics;
mod observation;
mod oracle;
mod race;
mod reporting;
mod servers;
mod sessions;
mod stopping;
mod story;
mod systemd;
mod truth;
mod wake;

// The documents: every command, figure, claim and path in them.
mod documents;

// Failovers by the programs of Debian.
mod failover;

// The proof: faults against two agents, judged by a history checker.
mod proof;

mod support;
