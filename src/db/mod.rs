//! Reaching databases.

pub mod url;
