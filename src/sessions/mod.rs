//! Sessions that are over are ended, and so are those that a user has too many of.
//!
//! A pass over one store is: check it against the catalog, look, judge (pure), sweep, report. It takes no decision
//! about when to run or what its report means: `once` and the agent do.

mod columns;
mod error_text;
mod guards;
mod inspect;
mod pass;
mod pass_state;
mod plausibility;
mod privileges;
mod resolve;
mod statements;
mod store;
mod sweep;
mod untrusted_code;

pub use pass::{pass, unreachable_reports};
pub use pass_state::SessionPassState;
pub use privileges::{StorePrivileges, needs};
