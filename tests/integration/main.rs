//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

mod demo;
mod deploy;
mod documents;
mod faults;
mod grants;
mod oracle;
mod race;
mod discovery;
mod guards;
mod observation;
mod reporting;
mod story;
mod support;
mod wake;
