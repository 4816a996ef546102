//! Second line of defence: what a login does by itself when it meets drift before the agent did.
//!
//! [`heal_and_retry`] wraps any insert; [`SessionStore`] is a whole session table on top of it; [`sql`] is the same
//! repair for applications in any language.

pub mod events;
mod heal;
mod mend;
mod refusal;
pub mod sql;
mod store;

pub use heal::{Attempt, Healed, Limits, Next, Place, Repair, heal_and_retry};
pub use store::{Close, Layout, NewSession, Session, SessionStore, StoreError, Token, UserLock};

/// The examples in the document are compiled.
#[cfg(doctest)]
#[doc = include_str!("../../docs/login.md")]
struct Document;
