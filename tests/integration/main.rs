//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

mod agent;
mod alerts;
mod demo;
mod deploy;
mod discovery;
mod documents;
mod faults;
mod grants;
mod guards;
mod http;
mod login;
mod metrics;
mod observation;
mod oracle;
mod proof;
mod race;
mod reporting;
mod runbooks;
mod sessions;
mod stopping;
mod story;
mod support;
mod systemd;
mod truth;
mod wake;
