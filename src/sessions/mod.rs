//! Sessions that are over are ended, and so are those that a user has too many of.
//!
//! A pass over one store resolves it against the catalog, inspects it, asks the guards, sweeps, and reports. When a pass
//! is made, and what follows from its report, is decided by its callers: `once` and the agent.
//!
//! | file | what is in it |
//! |---|---|
//! | `pass.rs`, `store_pass.rs` | the pass over the stores of a database, and over one of them |
//! | `pass_state.rs` | what a pass leaves for the next one |
//! | `store/` | a configured store, resolved against the catalog: columns, privileges, foreign keys, untrusted code |
//! | `context.rs` | what the pass knows of one store |
//! | `times.rs`, `clock.rs` | by which time a session must be over to be ended, purely; reading the clock and time zones |
//! | `inspect.rs`, `unspent.rs` | counts sessions, and rows whose ids would be handed out again |
//! | `columns_check.rs` | samples the columns |
//! | `plausibility.rs` | whether a column can mean what the configuration says; pure |
//! | `guards.rs` | what a sweep may end, and why the rest is held; pure |
//! | `sweep.rs`, `batch.rs` | ends sessions, batch by batch |
//! | `one_by_one.rs`, `blocked.rs` | finds those that cannot be ended |
//! | `postponed.rs` | when those are tried again; pure |
//! | `pages.rs` | when a backlog is ended in the order in which the table stores it, and which pages are next |
//! | `batch_size.rs`, `deadline.rs` | how large a batch is, and when a sweep stops; pure |
//! | `statements/` | the SQL of inspection and sweep |
//! | `reasons.rs` | why a sweep is held or failed, with the fix |
//! | `presets/` | the stores that are known by name, as configuration |

mod batch;
mod batch_size;
mod blocked;
mod clock;
mod columns_check;
mod context;
mod deadline;
mod guards;
mod inspect;
mod one_by_one;
mod pages;
mod pass;
mod pass_state;
mod plausibility;
mod postponed;
mod reasons;
mod statements;
mod store;
mod store_pass;
mod sweep;
mod times;
mod unspent;

pub use pass::{pass, unreachable_reports};
pub use pass_state::SessionPassState;
pub use store::privileges::{StorePrivileges, needs};
