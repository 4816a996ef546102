//! First line of defense: every sequence is compared with the ids in the columns it feeds, and repaired.
//!
//! | file | does |
//! |---|---|
//! | `pass.rs`, `examine.rs` | one pass over one database: discover, then observe, judge and repair group by group, and report |
//! | `declared.rs`, `suggestions/`, `feed_toml.rs` | discover: the links that the configuration declares, and likely ones |
//! | `load.rs`, `catalog.rs`, `catalog_timeouts.rs`, `owners.rs`, `references.rs` | discover: the sequences, the columns they feed, and what references these |
//! | `pass_state.rs`, `known.rs`, `activity.rs`, `invalidation.rs` | which findings of the previous pass still hold |
//! | `quiet.rs`, `standing.rs` | the pass in which all of them do |
//! | `observe.rs`, `batch.rs`, `batch_plan.rs`, `partitions.rs`, `guard.rs` | observe: the probes, in transactions of a bounded size |
//! | `states.rs` | reads states alone, for `cutover` |
//! | `work_queue.rs` | what several connections share |
//! | `keys.rs`, `look.rs`, `single_look.rs`, `look_results.rs` | observe what lies ahead, where an id is at or beyond the next value |
//! | `memory.rs`, `repair_log.rs`, `moves.rs`, `findings.rs` | judge: what is remembered of a sequence, its next move, verdict and reasons |
//! | `evidence/` | who was behind a drift that is seen for the first time |
//! | `orders.rs`, `repair/` | repair the sequences that are behind |
//! | `shared_columns.rs` | two sequences that hand out values for one column |
//! | `uncounted.rs`, `computed.rs`, `blocks.rs` | what columns hold that do not count, or whose ids are computed; ids that may be undeclared blocks |
//! | `privileges.rs` | which privileges a complete pass needs, for `pgmedic grants` |
//!
//! Data flows down this list: `Catalog` → `Observation` → `SequenceReport` → `RepairReport`. When to run, and what a report
//! means, is decided by `once` and by the agent.

mod activity;
mod batch;
mod batch_plan;
mod blocks;
mod catalog;
mod catalog_timeouts;
mod computed;
mod declared;
mod evidence;
mod examine;
mod feed_toml;
mod findings;
mod guard;
mod invalidation;
mod keys;
mod known;
mod load;
mod look;
mod look_results;
mod memory;
mod moves;
mod observe;
mod orders;
mod owners;
mod partitions;
mod pass;
mod pass_state;
mod privileges;
mod quiet;
mod references;
mod repair;
mod repair_log;
mod shared_columns;
mod single_look;
mod standing;
mod states;
mod suggestions;
mod uncounted;
mod work_queue;

pub use crate::pass_options::PassOptions;
pub use batch::MAX_CACHED_RELATIONS;
pub use catalog::discover;
pub use invalidation::Invalidation;
pub use pass::pass;
pub use pass_state::SequencePassState;
pub use privileges::{Relation, RequiredPrivileges, SequencePrivileges, TablePrivileges, required_privileges};
pub use repair_log::{CHECK as REPAIR_LOG_CHECK, LogOwner, RepairLogEntry, install_fix as repair_log_install_fix};
pub use states::read_states;
pub use work_queue::WorkQueue;
