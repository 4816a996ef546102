//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a panic is how a test fails, and dates and clocks are compared with the real ones"
)]

mod agent;
mod alerts;
mod browser;
mod catalogs;
mod claims;
mod comparison;
mod connecting;
mod cutover;
mod demo;
mod deploy;
mod discovery;
mod documents;
mod faults;
mod figures;
mod grants;
mod guards;
mod guides;
mod http;
mod login;
mod metrics;
mod observation;
mod oracle;
mod proof;
mod race;
mod reporting;
mod rooms;
mod runbooks;
mod sessions;
mod stopping;
mod story;
mod support;
mod systemd;
mod truth;
mod wake;
