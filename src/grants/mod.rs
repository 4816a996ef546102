//! The least that a role must be granted for the configured work, as SQL for an administrator.

mod script;

use crate::config::{ConfigError, Database, SessionStoreConfig, Settings};
use crate::db::{BoundedConnection, ConnectError, TransactionMode};
use crate::sequences::required_privileges;
use crate::sessions;
use pgmedic_core::{QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use script::{HEAD, RoleNames, script};
use sqlx::Row;
use tokio_util::sync::CancellationToken;

/// Why there is no SQL: a part of it might pass for the whole.
#[derive(Debug, thiserror::Error)]
pub enum GrantsError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{database} cannot be asked what it needs: {cause}")]
    Connect { database: String, cause: ConnectError },
    #[error("{database}: reading the catalog failed: {cause}")]
    Catalog { database: String, cause: QueryError },
}

/// The SQL for every configured database. `role` is who will do the work; the default is the user of each database's
/// connection URL. Nothing is changed, and no privilege is needed but to connect.
///
/// # Errors
///
/// When a database cannot be reached or read.
pub async fn grants(settings: &Settings, role: Option<&str>) -> Result<String, GrantsError> {
    let mut text = HEAD.to_owned();
    for database in &settings.databases {
        text += &grants_for(database, settings, role).await?;
    }
    Ok(text)
}

async fn grants_for(database: &Database, settings: &Settings, role: Option<&str>) -> Result<String, GrantsError> {
    let sequences = &settings.sequences;
    let bounds = sequences.bounds();
    let options = database.connect_options()?;
    let connected = BoundedConnection::connect(&options, bounds, &CancellationToken::new()).await;
    let mut session = connected.map_err(|cause| GrantsError::Connect { database: database.name.clone(), cause })?;
    let unread = |cause| GrantsError::Catalog { database: database.name.clone(), cause };
    let names = names(&mut session, role.unwrap_or(options.first().get_username()), bounds).await.map_err(unread)?;
    let mut needs = required_privileges(&mut session, &database.name, sequences, bounds).await.map_err(unread)?;
    let stores = SessionStoreConfig::for_database(&settings.sessions, &database.name);
    let (stores, notes) = sessions::needs(&mut session, stores, bounds).await;
    needs.notes.extend(notes.into_iter().map(|note| Reason::new(ReasonKind::Configuration, note)));
    session.close().await;
    Ok(script(&database.name, &names, &needs, &stores, sequences))
}

/// Has the server quote the names that we bring along.
async fn names(session: &mut BoundedConnection, role: &str, bounds: Timeouts) -> Result<RoleNames, QueryError> {
    let role = quote_literal(role);
    let statement = format!("SELECT quote_ident({role}::name), {role}::name::text, quote_ident(current_database())");
    let script = session.run_transaction("names", TransactionMode::Read, bounds, [statement]).await;
    if let Some(failure) = script.failure {
        return Err(failure);
    }
    let Some(row) = script.answers.first().and_then(|rows| rows.first()) else {
        return Err(QueryError::UnexpectedResponse("no names".to_owned()));
    };
    Ok(RoleNames { role: row.try_get(0)?, raw_role: row.try_get(1)?, database: row.try_get(2)? })
}
