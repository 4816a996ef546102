//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

mod deploy;
mod documents;
mod story;
mod support;
