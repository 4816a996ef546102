//! Second line of defence: what a login does by itself when it meets drift before the agent did.
//!
//! [`heal_and_retry`] wraps any insert.

mod heal;
mod mend;
mod refusal;

pub use heal::{Healed, Limits, Place, Repair, heal_and_retry};
