//! Talking to PostgreSQL: connecting, bounded transactions, error classes.

mod abandon;
mod connect;
mod error;
mod guest;
mod lease;
mod listen;
mod literal;
mod preamble;
mod server;
mod session;
pub(crate) mod url;

pub use connect::ConnectError;
pub use error::Failure;
pub use guest::ask;
pub use lease::{Lease, Lost};
pub use listen::{ListenError, Listener};
pub use literal::quote_literal;
pub use preamble::{Access, Bounds, settings};
pub use server::Server;
pub use session::{Script, Session};
