//! Connections to PostgreSQL, on which every statement has timeouts.
//!
//! | file | does |
//! |---|---|
//! | `conninfo/` | reads connection strings into the addresses to try |
//! | `budget/` | how many connections each server has |
//! | `connect.rs` | opens a connection to the first address that is as wanted |
//! | `connect_error.rs` | explains why a connection cannot be opened |
//! | `tls_error.rs` | explains why TLS failed |
//! | `answers.rs` | small statements on a bare connection, with a time limit |
//! | `server_info.rs` | asks for the server's version and state, and the connected role |
//! | `connection.rs` | `BoundedConnection`: runs statements in transactions |
//! | `channel.rs` | sends messages and receives their answers |
//! | `transaction.rs` | the statements of a transaction, in one message, and which rows are whose answer |
//! | `cached_relations.rs` | what a server process has in its caches |
//! | `which_server.rs` | which server a connection is open to |
//! | `own_transactions.rs` | counts the transactions of this agent in a database |
//! | `cancel.rs` | cancels a statement whose answer is not waited for any more |
//! | `lease/` | the lock by which one of several agents leads |
//! | `notification_listener.rs` | receives `NOTIFY pgmedic` |
//!
//! A connection string becomes a `ConnectTarget`, which `BoundedConnection::connect` and `Listener::open` take. Statements
//! go in as SQL, answers come out as rows, failures as `QueryError`.

mod answers;
pub mod budget;
mod cached_relations;
mod cancel;
mod channel;
mod connect;
mod connect_error;
mod connection;
pub mod conninfo;
mod lease;
mod notification_listener;
mod own_transactions;
mod server_info;
mod tls_error;
mod transaction;
mod which_server;

pub use connect_error::ConnectError;
pub use connection::BoundedConnection;
pub use conninfo::ConnectTarget;
pub use lease::{Attempt, Holder, Lead, LeaseCommand, LeaseLost, LeaseRequest, Standing, acquire};
pub use notification_listener::{ListenError, Listener};
pub use own_transactions::OwnTransactions;
pub use server_info::ServerInfo;
pub use transaction::{TransactionMode, TransactionResult};
pub use which_server::{WhichServer, server_name_sql, which_server, which_server_sql};
