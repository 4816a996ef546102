//! pgmedic keeps PostgreSQL inserts from failing because a sequence fell behind its table.

pub mod cli;
pub mod config;
pub mod db;
pub mod demo;
