//! Which repairs are made, and which need an approval or a privilege.

mod cache;
mod exit_codes;
mod headroom;
mod leaps;
mod limits;
mod ownership;
mod waiting;
