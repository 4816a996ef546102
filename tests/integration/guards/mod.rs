//! What a repair may do, and what it must be asked for.

mod cache;
mod exit_codes;
mod headroom;
mod leaps;
mod limits;
mod ownership;
mod waiting;
