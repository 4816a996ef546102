//! The databases of all servers, for commands that run once; and which databases of a server are covered.

use super::survey::{FoundDatabase, SurveySql, read};
use crate::config::{ConfigError, Database, Server, Settings};
use crate::db::{BoundedConnection, TransactionMode};
use futures_util::future::join_all;
use pgmedic_core::{Reason, Timeouts};
use tokio_util::sync::CancellationToken;

/// How many names an error shows.
const MOST_SHOWN: usize = 5;

/// All databases that a command is to work on.
#[derive(Debug)]
pub struct Discovered {
    /// The configured ones, in their order, and then those of each server, by name.
    pub databases: Vec<Database>,
    /// Databases of servers that cannot be entered, because their names are not UTF-8.
    pub unreadable: Vec<(Database, Reason)>,
    /// Servers that could not be asked, by the database that was to be entered for it.
    pub failed: Vec<(Database, Reason)>,
}

/// The databases that `settings` name, and those of their servers.
///
/// # Errors
///
/// When a server has no database that is covered, two are the same one, or a database that `--database` names is nowhere.
/// A server that cannot be reached is no error.
pub async fn discover(settings: &Settings) -> Result<Discovered, ConfigError> {
    let mut found = Discovered { databases: settings.databases.clone(), unreadable: Vec::new(), failed: Vec::new() };
    let timeouts = settings.sequences.bounds();
    let never = CancellationToken::new();
    let mut known: Vec<String> = found.databases.iter().map(|database| database.name.to_string()).collect();
    let surveys = settings.servers.iter().map(|server| survey(server, timeouts, &never));
    let surveys = join_all(surveys).await;
    for (index, (server, survey)) in settings.servers.iter().zip(surveys).enumerate() {
        match survey {
            Err(reason) => found.failed.push((server.home.clone(), reason)),
            Ok(all) => {
                if let Some(other) = settings.servers.iter().take(index).find(|other| same_server(server, other)) {
                    return Err(ConfigError::SameServer { one: other.name.clone(), other: server.name.clone() });
                }
                known.extend(all.iter().map(|database| server.database(&database.name).name.to_string()));
                let databases = covered(server, &all)?;
                for database in databases {
                    match database.unreadable() {
                        Some(reason) => found.unreadable.push((server.database(&database.name), reason)),
                        None => found.databases.push(server.database(&database.name)),
                    }
                }
            }
        }
    }
    let all = || found.databases.iter().chain(found.unreadable.iter().map(|(database, _)| database));
    let is_found = |wanted: &&String| {
        let servers = settings.servers.iter().any(|server| server.name == **wanted);
        servers || all().any(|database| database.name == wanted.as_str() || *database.name.database() == ***wanted)
    };
    if let Some(missing) = settings.wanted.iter().find(|wanted| !is_found(wanted)).filter(|_| found.failed.is_empty()) {
        return Err(ConfigError::unknown_database(missing, known.iter().map(String::as_str)));
    }
    Ok(found)
}

/// Connects to the server and asks for its databases.
///
/// # Errors
///
/// When it cannot be reached, or does not answer.
pub async fn survey(
    server: &Server,
    timeouts: Timeouts,
    cancel: &CancellationToken,
) -> Result<Vec<FoundDatabase>, Reason> {
    let target = server.home.connect_options()?;
    let mut connection = BoundedConnection::connect(&target, timeouts, cancel).await?;
    let mut sql = SurveySql::default();
    let found = loop {
        let result = connection.run_transaction("databases", TransactionMode::Read, timeouts, [sql.text()]).await;
        match result.into_rows().and_then(|rows| read(&rows)) {
            Ok(found) => break Ok(found),
            Err(error) => match sql.instead(&error) {
                Some(other) => sql = other,
                None => break Err(Reason::from(error).while_doing("asking for the databases failed")),
            },
        }
    };
    if connection.lost().is_none() {
        connection.close().await;
    }
    found
}

/// Those of the found databases that the server's table covers.
///
/// # Errors
///
/// When there is none, though `--database` does not narrow it.
pub fn covered<'a>(server: &Server, found: &'a [FoundDatabase]) -> Result<Vec<&'a FoundDatabase>, ConfigError> {
    let covered: Vec<&FoundDatabase> = found.iter().filter(|database| server.covers(&database.name)).collect();
    if covered.is_empty() && !server.is_narrowed() {
        let mut names: Vec<String> =
            found.iter().take(MOST_SHOWN).map(|database| format!("{:?}", database.name)).collect();
        if found.len() > MOST_SHOWN {
            names.push("…".to_owned());
        }
        let (server, count) = (server.name.clone(), found.len());
        return Err(ConfigError::NothingCovered { server, count, names: names.join(", ") });
    }
    Ok(covered)
}

/// Whether both tables lead to one server, as far as it was reached by both.
pub fn same_server(one: &Server, other: &Server) -> bool {
    let (Ok(one), Ok(other)) = (one.home.connect_options(), other.home.connect_options()) else { return false };
    one.attributes == other.attributes && one.budget.are_same_server(&one.address_list(), &other.address_list())
}
