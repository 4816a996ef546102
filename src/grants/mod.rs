//! `pgmedic grants`: the least privileges that the configured work needs, as SQL for an administrator.
//!
//! | file | contents |
//! |---|---|
//! | `mod.rs` | asks each database what the sequences and session stores need |
//! | `script.rs` | writes the answers as SQL |

mod script;

use crate::config::{ConfigError, Database, SessionStoreConfig, Settings};
use crate::db::{BoundedConnection, ConnectError, TransactionMode};
use crate::sequences::required_privileges;
use crate::servers::{Discovered, discover};
use crate::sessions;
use pgmedic_core::{QueryError, Reason, Timeouts, quote_literal};
use script::{HEAD, RoleNames, psql_connect, script};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

/// Why no SQL is printed. A part of it is never printed, because it could be taken for all of it.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{server} cannot be asked for the databases of its server: {cause}")]
    Server { server: String, cause: Reason },
    #[error("{database} cannot be asked what it needs: {cause}")]
    Connect { database: String, cause: ConnectError },
    #[error("{database}: reading the catalog failed: {cause}")]
    Catalog { database: String, cause: QueryError },
}

/// The SQL for every database, of servers too. `role` is the role that pgmedic connects as; the default is the user in each
/// connection URL. Changes nothing, and needs only the privilege to connect.
///
/// # Errors
///
/// When a database cannot be reached or read.
pub async fn grants(settings: &Settings, role: Option<&str>) -> Result<String, GrantsError> {
    let mut text = HEAD.to_owned();
    let Discovered { databases, unreadable, failed } = discover(settings).await?;
    if let Some((home, cause)) = failed.into_iter().next() {
        return Err(GrantsError::Server { server: home.name.to_string(), cause });
    }
    for database in &databases {
        match grants_for(database, settings, role).await {
            // Of the many databases of a server, one that cannot be entered is named.
            Err(error @ GrantsError::Connect { .. }) if database.name.server().is_some() => {
                text += &not_covered(&error.to_string())
            }
            part => text += &part?,
        }
    }
    for (database, cause) in unreadable {
        text += &not_covered(&format!("{}: {cause}", database.name));
    }
    Ok(text)
}

async fn grants_for(database: &Database, settings: &Settings, role: Option<&str>) -> Result<String, GrantsError> {
    let sequences = &settings.sequences;
    let timeouts = sequences.bounds();
    let options = database.connect_options()?;
    let connected = BoundedConnection::connect(&options, timeouts, &CancellationToken::new()).await;
    let mut connection =
        connected.map_err(|cause| GrantsError::Connect { database: database.name.to_string(), cause })?;
    let catalog_error = |cause| GrantsError::Catalog { database: database.name.to_string(), cause };
    let names =
        names(&mut connection, role.unwrap_or(options.first().get_username()), database.max_connections(), timeouts)
            .await
            .map_err(catalog_error)?;
    let mut needs =
        required_privileges(&mut connection, &database.name, sequences, timeouts).await.map_err(catalog_error)?;
    let stores = SessionStoreConfig::for_database(&settings.sessions, &database.name);
    let (stores, notes) = sessions::needs(&mut connection, stores, timeouts).await;
    needs.notes.extend(notes);
    connection.close().await;
    let connect = database.name.server().map(|_| psql_connect(options.database_name()));
    Ok(script(&database.name, connect.as_deref(), &names, &needs, &stores, sequences))
}

fn not_covered(text: &str) -> String {
    let lines = text.split(['\n', '\r']).map(|line| format!("-- {line}\n"));
    format!("\n-- Not covered:\n{}", lines.collect::<String>())
}

/// The names of the role and the database, quoted by the server.
async fn names(
    connection: &mut BoundedConnection,
    role: &str,
    max_connections: u32,
    timeouts: Timeouts,
) -> Result<RoleNames, QueryError> {
    let role = quote_literal(role);
    let statement = format!("SELECT quote_ident({role}::name), {role}::name::text, quote_ident(current_database())");
    let result = connection.run_transaction("names", TransactionMode::Read, timeouts, [statement]).await;
    let rows = result.into_rows()?;
    let Some(row) = rows.first() else {
        return Err(QueryError::UnexpectedResponse("no names".to_owned()));
    };
    Ok(RoleNames { role: row.try_get(0)?, raw_role: row.try_get(1)?, database: row.try_get(2)?, max_connections })
}
