//! What is printed, where, and what never is.

mod command_line;
mod configuration;
mod databases;
mod secrets;
mod table;
mod unreachable;
