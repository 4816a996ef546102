//! What pgmedic and its login library share: names, quoting, errors, and the arithmetic of one sequence.
//!
//! Nothing here needs a runtime, a clock or a configuration. It is internal to pgmedic's crates: use `pgmedic-login`.
//!
//! | file | what is in it |
//! |---|---|
//! | `name.rs` | names of tables, columns and sequences as people write them |
//! | `quote.rs`, `shell_quote.rs` | SQL and shell constants |
//! | `fill_sql.rs` | SQL in files, with places to fill |
//! | `settings_sql.rs` | timeouts and settings that every transaction begins with |
//! | `reason.rs` | why something is as it is, and what fixes it |
//! | `error.rs` | why a statement failed, by SQLSTATE |
//! | `caller_connection.rs` | statements on a connection of the caller's |
//! | `evidence/` | what a statement's text tells of the sequences that it moved or wrote past |
//! | `sequence/` | one sequence: model, probe, observation, arithmetic, plan, reasons |

mod caller_connection;
mod error;
pub mod evidence;
mod fill_sql;
pub mod name;
mod quote;
pub mod rare;
mod reason;
pub mod sequence;
mod settings_sql;
mod shell_quote;

pub use caller_connection::simple_query;
pub use error::QueryError;
pub use fill_sql::fill_sql;
pub use name::{ColumnName, NameError, RelationRef, TableName, parse_identifier};
pub use quote::quote_literal;
pub use reason::{Fix, Reason, ReasonKind, approval_pattern};
pub use settings_sql::{Timeouts, positive_milliseconds, settings_select, settings_sql};
pub use shell_quote::shell_quote;
