//! First line of defence: every sequence is compared with the ids it feeds, and mended.
//!
//! A pass is: discover (one catalog query), observe (bounded batches), judge (pure), repair, report. It takes
//! no decision about when to run or what its report means: `once` and the agent do.

mod batch;
mod catalog;
mod changes;
mod default_expression;
mod doubt;
mod finding;
mod keepers;
mod link;
mod members;
mod memory;
mod needs;
mod observe;
mod orders;
mod pass;
mod probe;
mod repair;
pub(crate) mod single;
mod verdict;

pub use crate::orders::Orders;
pub use doubt::Doubt;
pub use memory::Memory;
pub use needs::{Needs, Relation, SequenceNeed, TableNeed, needs};
pub use pass::pass;
