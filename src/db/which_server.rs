//! Which server a connection is open to, to tell two of them apart behind one connection string.

use super::answers::{ANSWER_WITHIN, ask};
use super::connect::{Opened, open};
use super::connect_error::ConnectError;
use super::conninfo::ConnectTarget;
use pgmedic_core::{QueryError, fill_sql};
use sqlx::postgres::PgConnection;
use sqlx::{Connection, Row};
use tokio::time::timeout;

/// A server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhichServer {
    /// The same for as long as its postmaster runs and it is, or is not, a replica. Empty where the role may not ask.
    pub name: String,
    pub is_replica: bool,
}

/// Connects, and asks which server was reached.
///
/// # Errors
///
/// When none can be reached.
pub async fn which_server(target: &ConnectTarget) -> Result<WhichServer, ConnectError> {
    let Opened { mut connection, options, permit } = open(target).await?;
    let server = ask_which_server(&mut connection, "which-server").await;
    // It is closed also where the server does not take the message.
    let _ = timeout(ANSWER_WITHIN, connection.close()).await;
    drop(permit);
    server.map_err(|error| ConnectError::because(&options, error))
}

/// The name of a server, as an SQL expression.
pub fn server_name_sql() -> String {
    fill_sql::<&str>(include_str!("server_name.sql"), &[])
}

/// The statement that tells the server's name, and whether it is a replica.
pub fn which_server_sql() -> String {
    fill_sql(include_str!("which_server.sql"), &[("SERVER", server_name_sql())])
}

/// Asks on an open connection. The statement has this name.
pub(super) async fn ask_which_server(connection: &mut PgConnection, name: &str) -> Result<WhichServer, QueryError> {
    match ask(connection, format!("/* pgmedic:{name} */ {}", which_server_sql())).await {
        Ok(row) => Ok(WhichServer { name: row.try_get(0)?, is_replica: row.try_get(1)? }),
        Err(QueryError::PermissionDenied(_)) => Ok(WhichServer { name: String::new(), is_replica: false }),
        Err(error) => Err(error),
    }
}
