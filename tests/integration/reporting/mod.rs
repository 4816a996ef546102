//! What is printed, on which stream, and what is never printed.

mod command_line;
mod configuration;
mod databases;
mod help;
mod nagios;
mod narrow;
mod revision;
mod secrets;
mod table;
mod unreachable;
