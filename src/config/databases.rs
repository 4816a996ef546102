//! The `[[databases]]` tables, or else the one database that a variable names.

use super::database::{Database, label};
use super::database_variables::{from_variables, unused_variables};
use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenDatabase;
use super::layers::ConfigLocations;
use super::url_source::{UrlSource, source_of, unusable};
use super::values::is_label;
use crate::db::ConnectTarget;
use crate::db::budget::ConnectionBudget;
use crate::report::DatabaseLabel;
use std::sync::Arc;

/// One warning for all parameters of a connection string that have no effect here, and one where it does not say which of several
/// hosts is wanted.
pub(super) fn connection_warnings(database: &Database) -> Vec<String> {
    let Ok(target) = database.source.options(None) else { return Vec::new() };
    let name = &database.name;
    let ignored = (!target.ignored.is_empty()).then(|| {
        format!(
            "{name}: its connection string has parameters without effect here, which are ignored: {}",
            target.ignored.join(", ")
        )
    });
    let undecided = (target.candidates.len() > 1 && !target.names_attributes).then(|| {
        format!(
            "{name}: its connection string names several hosts, and the first that answers is taken, after a failover perhaps a \
             replica, where nothing is repaired; add target_session_attrs=read-write to it"
        )
    });
    ignored.into_iter().chain(undecided).collect()
}

/// The databases of the file, or else the one that a variable names; and warnings about variables and parameters that
/// are not used.
pub(super) fn resolve_databases(
    written: Vec<WrittenDatabase>,
    has_servers: bool,
    budget: &Arc<ConnectionBudget>,
    locations: &ConfigLocations,
    environment: &Environment,
) -> Result<(Vec<Database>, Vec<String>), ConfigError> {
    let in_file = has_servers || !written.is_empty();
    let mut warnings: Vec<String> = unused_variables(in_file, locations, environment).into_iter().collect();
    if !in_file {
        let budget = Arc::clone(budget);
        let database = Database { budget, ..from_variables(locations, environment)? };
        warnings.extend(connection_warnings(&database));
        return Ok((vec![database], warnings));
    }
    let mut databases: Vec<Database> = Vec::new();
    for (index, table) in written.into_iter().enumerate() {
        let key = format!("databases[{index}]");
        let database = Database { budget: Arc::clone(budget), ..from_file(table, &key, locations)? };
        if let Some(other) = databases.iter().position(|other| other.name == database.name) {
            return Err(locations.invalid(
                format!("{key}.name"),
                format!("{}, the name of databases[{other}] too", display_or_hide(&database.name)),
                "a different `name` for each database (the default is the name in its URL)",
            ));
        }
        warnings.extend(connection_warnings(&database));
        databases.push(database);
    }
    let among_several = has_servers || databases.len() > 1;
    databases.iter_mut().for_each(|database| database.among_several = among_several);
    Ok((databases, warnings))
}

fn from_file(table: WrittenDatabase, key: &str, locations: &ConfigLocations) -> Result<Database, ConfigError> {
    let (source, options, source_key) = source_of((table.url, table.url_file), key, locations)?;
    let name = match table.name {
        Some(name) if !is_label(&name) => {
            let expected = "a short label, such as \"app\"";
            return Err(locations.invalid(format!("{key}.name"), display_or_hide(&name), expected));
        }
        Some(name) => name,
        None => label(&options).map_err(|cause| unusable(cause, &source_key, locations))?,
    };
    let max_connections = checked_max_connections(table.max_connections, key, locations)?;
    Ok(Database { max_connections, ..Database::new(name, source) })
}

/// The database that a server's connection string names, or else `postgres`, which every server has.
pub(super) fn home_of_server(
    server: &str,
    source: UrlSource,
    target: &ConnectTarget,
    max_connections: Option<u32>,
    budget: &Arc<ConnectionBudget>,
) -> Database {
    let named = target.first().get_database().filter(|name| !name.is_empty());
    let own_name = named.unwrap_or("postgres").to_owned();
    let label = DatabaseLabel::of_server(server, &own_name);
    Database {
        own_name: Some(own_name),
        among_several: true,
        max_connections,
        budget: Arc::clone(budget),
        ..Database::new(label, source)
    }
}

/// One connection stays open for the lease and for NOTIFY, and the passes need another.
pub(super) fn checked_max_connections(
    number: Option<i64>,
    table: &str,
    locations: &ConfigLocations,
) -> Result<Option<u32>, ConfigError> {
    let check = |number: i64| {
        u32::try_from(number).ok().filter(|number| *number >= 2).ok_or_else(|| {
            let expected =
                "a whole number from 2 on: one connection holds the lease and receives NOTIFY, another one works";
            locations.invalid(format!("{table}.max_connections"), format!("the number {number}"), expected)
        })
    };
    number.map(check).transpose()
}
