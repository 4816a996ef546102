//! The judgement on real tables: what is passed, what is held and why, and what it costs.

mod blocks;
mod capacity;
mod far;
mod keys;
mod leaps;
mod memory;
mod rules;
