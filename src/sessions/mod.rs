//! Sessions that are over are ended, and so are those that a user has too many of.
//!
//! A pass over one store is: check it against the catalog, look, judge (pure), sweep, report. It takes no decision
//! about when to run or what its report means: `once` and the agent do.

mod check;
mod columns;
mod doubt;
mod look;
mod memory;
mod needs;
mod pass;
mod policy;
mod statements;
mod store;
mod strangers;
mod sweep;
mod trouble;

pub use memory::Memory;
pub use needs::{StoreNeed, needs};
pub use pass::{not_reached, pass};
