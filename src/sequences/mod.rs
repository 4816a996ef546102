//! First line of defense: every sequence is compared with the ids in the columns it feeds, and repaired.
//!
//! | file | does |
//! |---|---|
//! | `pass.rs` | one pass over one database: discover, observe, judge, repair, report |
//! | `declared.rs`, `suggestions/`, `feed_toml.rs` | discover: the links that the configuration declares, and likely ones |
//! | `catalog.rs`, `owners.rs` | discover: the sequences and the columns they feed, by one catalog query |
//! | `pass_state.rs`, `activity.rs`, `invalidation.rs` | which findings of the previous pass still hold |
//! | `observe.rs`, `batch.rs`, `batch_plan.rs`, `partitions.rs`, `guard.rs` | observe: the probes, in transactions of a bounded size |
//! | `findings.rs` | judge: verdict and reasons |
//! | `orders.rs`, `repair/` | repair the sequences that are behind |
//! | `shared_columns.rs` | two sequences that hand out values for one column |
//! | `uncounted.rs`, `blocks.rs` | what columns hold that do not count; ids that may be undeclared blocks |
//! | `privileges.rs` | which privileges a complete pass needs, for `pgmedic grants` |
//!
//! Data flows down this list: `Catalog` → `Observation` → `SequenceReport` → `RepairReport`. When to run, and what a report
//! means, is decided by `once` and by the agent.

mod activity;
mod batch;
mod batch_plan;
mod blocks;
mod catalog;
mod declared;
mod feed_toml;
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
mod shared_columns;
mod suggestions;
mod uncounted;

pub use crate::pass_options::PassOptions;
pub use invalidation::Invalidation;
pub use pass::pass;
pub use pass_state::SequencePassState;
pub use privileges::{Relation, RequiredPrivileges, SequencePrivileges, TablePrivileges, required_privileges};
