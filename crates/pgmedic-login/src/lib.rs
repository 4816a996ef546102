//! Keeps inserts, logins above all, from failing with SQLSTATE 23505 because a PostgreSQL sequence has fallen behind the
//! ids in its table, for example after a restore or an import.
//!
//! [`retry_after_repair`] runs an insert. If the insert meets an id that is already taken because the sequence is behind,
//! it moves the sequence past the taken ids and runs the insert again:
//!
//! ```no_run
//! use pgmedic_login::sqlx::{self, PgPool};
//! use pgmedic_login::{InlineRepairLimits, retry_after_repair};
//!
//! # async fn login(pool: PgPool, user: i32) -> Result<i32, sqlx::Error> {
//! let outcome = retry_after_repair(&pool, InlineRepairLimits::default(), async move |connection| {
//!     let insert = "INSERT INTO user_sessions (user_id) VALUES ($1) RETURNING session_id";
//!     sqlx::query_scalar::<_, i32>(insert).bind(user).fetch_one(connection).await
//! })
//! .await?;
//! println!("session {}, {} repairs", outcome.value, outcome.repairs.len());
//! # Ok(outcome.value)
//! # }
//! ```
//!
//! [`SessionStore`] keeps a table of user sessions, and repairs the sequence in the same way. A login ends the user's
//! older sessions:
//!
//! ```no_run
//! use pgmedic_login::sqlx::PgPool;
//! use pgmedic_login::{SessionStore, SessionTable, StoreError};
//! use std::time::Duration;
//!
//! # async fn login(pool: PgPool) -> Result<(), StoreError> {
//! let store = SessionStore::open(pool, SessionTable::default()).await?;
//! let login = store.create_session(7, Duration::from_secs(1800)).await?;
//! let cookie = login.token.expose();
//! assert_eq!(store.find(cookie).await?.map(|session| session.user), Some("7".to_owned()));
//! # Ok(())
//! # }
//! ```
//!
//! # What the role needs
//!
//! | for | privileges |
//! |---|---|
//! | [`retry_after_repair`] | those of the insert, and `SELECT` on the sequence and on the columns that it feeds and that are alone in a unique key |
//! | [`SessionStore`] | `USAGE` and `SELECT` on the sequence; `SELECT`, `INSERT`, `UPDATE` and `DELETE` on the table of sessions; on the table of users, `SELECT` on the key and `UPDATE` on any column (not with [`UserLock::Advisory`]) |
//!
//! Without the privilege to read, nothing is repaired: the insert's error is returned, and a warning of the `tracing`
//! crate says what is missing. Nothing needs `UPDATE` on the sequence, which `setval` requires: without it, the role
//! cannot move the sequence back.
//!
//! # sqlx, runtimes and TLS
//!
//! The API uses the types of sqlx 0.9, which is exported as [`sqlx`]. This crate enables only its `postgres` feature: the
//! application chooses a runtime and a TLS library with the features of sqlx in its `Cargo.toml`.
//!
//! # tokio-postgres and deadpool
//!
//! With the feature `tokio-postgres`, the module `tokio_postgres` has the retry for applications that use that library,
//! on `pgmedic.repair` of `pgmedic sql install`.
//!
//! # How it is built
//!
//! | file | what is in it |
//! |---|---|
//! | `retry.rs` | the retry, and the transaction or savepoint around each attempt |
//! | `own_transaction.rs` | a transaction that is rolled back when it is dropped, also while it begins |
//! | `single_statement.rs` | the retry of one statement, without a transaction around it; its pieces |
//! | `repair.rs` | finds the sequences that feed the violated key, and moves those that are behind |
//! | `unique_violation.rs` | reads the fields of a 23505 error |
//! | `types.rs` | limits and results |
//! | `tokio_postgres.rs` | the retry for tokio-postgres, behind the feature of this name |
//! | `session_store/` | the session store, built on the retry |
//! | `sql_function/` | the SQL script that `pgmedic sql install` prints |

#![warn(missing_docs)]

mod keys_of_column;
mod own_transaction;
mod repair;
mod retry;
mod session_store;
mod single_statement;
#[doc(hidden)]
pub mod sql_function;
#[cfg(feature = "tokio-postgres")]
pub mod tokio_postgres;
mod types;
mod unique_violation;

pub use pgmedic_core::{NameError, TableName};
pub use retry::{Attempt, AttemptOutcome, RetryTarget, retry_after_repair};
pub use session_store::{
    CloseAction, NewSession, Session, SessionStore, SessionTable, SessionTableError, StoreError, Token, UserLock,
};
pub use single_statement::{is_duplicate_key, repair_after, retry_statement_after_repair};
pub use sqlx;
pub use types::{InlineRepairLimits, Repair, RetryOutcome};

/// Compiles the examples of the guide.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/login.md")]
struct Guide;
