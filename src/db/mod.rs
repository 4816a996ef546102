//! Talking to PostgreSQL: connecting, bounded transactions, error classes.

mod caller_connection;
mod cancel;
mod connect;
mod connection;
mod error;
mod leader_lease;
mod notification_listener;
mod quote;
mod server_info;
mod transaction;
pub(crate) mod url;

pub use caller_connection::simple_query;
pub use connect::ConnectError;
pub use connection::{BoundedConnection, TransactionResult};
pub use error::QueryError;
pub use leader_lease::{Lease, LeaseLost};
pub use notification_listener::{ListenError, Listener};
pub use quote::quote_literal;
pub use server_info::ServerInfo;
pub use transaction::{Timeouts, TransactionMode, settings_sql};
