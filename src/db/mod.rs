//! Talking to PostgreSQL: connecting, bounded transactions, error classes.

mod cancel;
mod connect;
mod connection;
pub mod conninfo;
mod leader_lease;
mod notification_listener;
mod server_info;
mod transaction;

pub use connect::ConnectError;
pub use connection::{BoundedConnection, TransactionResult};
pub use conninfo::ConnectTarget;
pub use leader_lease::{Lease, LeaseLost};
pub use notification_listener::{ListenError, Listener};
pub use server_info::ServerInfo;
pub use transaction::TransactionMode;
