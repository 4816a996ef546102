//! pgmedic keeps PostgreSQL inserts from failing because a sequence fell behind its table.

pub mod demo;
