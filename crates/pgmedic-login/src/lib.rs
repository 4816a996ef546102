//! Second line of defence: what a login does by itself when it meets drift before the agent did.
//!
//! [`retry_after_repair`] wraps any insert; [`SessionStore`] is a whole session table on top of it; `sql_function` is the same
//! repair for applications in any language.

mod repair;
mod retry;
mod session_store;
#[doc(hidden)]
pub mod sql_function;
mod unique_violation;

pub use retry::{Attempt, AttemptOutcome, InlineRepairLimits, Repair, RetryOutcome, RetryTarget, retry_after_repair};
pub use session_store::{CloseAction, NewSession, Session, SessionStore, SessionTable, StoreError, Token, UserLock};

/// The examples in the document are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/login.md")]
struct Document;
