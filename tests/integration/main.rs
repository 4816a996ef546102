//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

mod discovery;
mod guards;
mod observation;
mod reporting;
mod story;
mod support;
