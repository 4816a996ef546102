//! First line of defence: every sequence is compared with the ids it feeds, and repaired.
//!
//! A pass is: discover (one catalog query), observe (bounded batches), judge (pure), repair, report. It takes
//! no decision about when to run or what its report means: `once` and the agent do.

mod activity;
mod batch;
mod catalog;
mod findings;
mod guard;
mod invalidation;
mod observe;
mod orders;
mod owners;
mod partitions;
mod pass;
mod pass_state;
mod privileges;
mod repair;

pub use crate::pass_options::PassOptions;
pub use invalidation::Invalidation;
pub use pass::pass;
pub use pass_state::SequencePassState;
pub use privileges::{Relation, RequiredPrivileges, SequencePrivileges, TablePrivileges, required_privileges};
