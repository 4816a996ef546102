//! The real binary against a real PostgreSQL. One server for all tests, a database for each.

mod documents;
mod grants;
mod story;
mod support;
mod wake;
