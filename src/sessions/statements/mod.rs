//! The SQL of inspection and sweep, for one store: the `.sql` files, filled with names that the server quoted and with
//! constants.
//!
//! | file | what is in it |
//! |---|---|
//! | `count.sql`, `count_by_index.sql`, `count_superseded.sql` | how many sessions there are, for the guards |
//! | `unspent.rs`, `count_unspent.sql`, `count_unspent_others.sql`, `count_unspent_texts.sql` | how many ids would be handed out again |
//! | `sample_newest.sql`, `sample_outliers.sql` | what the columns hold, for the plausibility check |
//! | `kinds.sql` | whether a column tells sessions of several kinds apart |
//! | `untouched.sql` | whether sessions are touched when they are used |
//! | `batch.sql`, `supersede.sql` | end sessions; `ranked.sql` is a part of the second |
//! | `addresses.sql`, `superseded_addresses.sql`, `addresses.rs` | single sessions of a batch that failed |
//! | `one_by_one.sql`, `lock_one.sql` | end such sessions one by one |
//! | `changed.sql`, `changed_before.sql`, `check_changed.sql`, `check_kept.sql` | around a batch that triggers may change |
//! | `taken.rs`, `taken.sql`, `deleted.sql` | notice what triggers delete in other tables |
//! | `local_offsets.sql`, `longest_change.sql` | a time zone's offsets, for naive timestamps |
//! | `sweep_sql.rs`, `batches.rs` | fill those that read, and those that end sessions |
//! | `conditions.rs` | the conditions that they share |
//! | `snapshot.sql` | every statement as it is sent, for each encoding and action; a test compares it |

mod addresses;
mod batches;
mod conditions;
#[cfg(test)]
mod snapshot_tests;
mod sweep_sql;
mod taken;
mod unspent;

pub use addresses::{Address, Order, Rows};
pub use batches::{Target, Turn};
pub use sweep_sql::SweepSql;
