//! The addresses that a connection string names, in the order in which they are tried.

use super::certificates::Certificates;
use super::error::ConninfoError;
use super::password_file::password;
use super::{Lookup, Pairs};
use crate::db::budget::{ConnectionBudget, Purpose};
use crate::db::connect_error::address_of;
use crate::db::own_transactions::OwnTransactions;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The name shown in `pg_stat_activity` unless the connection string gives another one.
const APPLICATION_NAME: &str = "pgmedic";

/// Long enough for a distant server's TLS handshake, short enough for a person who waits for the answer.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Which servers are acceptable: libpq's `target_session_attrs`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SessionAttributes {
    #[default]
    Any,
    ReadWrite,
    ReadOnly,
    Primary,
    Standby,
    /// A standby where there is one, else any.
    PreferStandby,
    /// A primary where there is one, else any: of JDBC and Npgsql.
    PreferPrimary,
}

/// One address.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub options: PgConnectOptions,
    /// With TLS, tried when the server refuses a connection without it: `sslmode=allow`.
    pub with_tls: Option<PgConnectOptions>,
}

/// Everything that a connection string says: which addresses to try, and which server is wanted.
#[derive(Debug, Clone)]
pub struct ConnectTarget {
    /// At least one, in the order of the string.
    pub candidates: Vec<Candidate>,
    pub attributes: SessionAttributes,
    /// Whether the connection string has `target_session_attrs`; without it any server is taken.
    pub names_attributes: bool,
    /// Whether the order is drawn at random: `load_balance_hosts=random`.
    pub shuffled: bool,
    /// For each address.
    pub timeout: Duration,
    /// Parameters that have no effect here, for one warning.
    pub ignored: Vec<String>,
    /// What the connections are counted in, and how many there may be to the server.
    pub budget: Arc<ConnectionBudget>,
    pub max_connections: Option<u32>,
    pub purpose: Purpose,
    /// Counts the transactions in its database.
    pub transactions: OwnTransactions,
}

impl ConnectTarget {
    /// The first address, for what all addresses share: user, database, application name.
    pub fn first(&self) -> &PgConnectOptions {
        &self.candidates[0].options
    }

    /// The addresses in one text, and which server is wanted: the same for all connection strings that name the same server.
    pub fn addresses(&self) -> String {
        format!("{} {:?}", self.address_list().join(","), self.attributes)
    }

    /// The addresses, as the budget knows them.
    pub fn address_list(&self) -> Vec<String> {
        self.candidates.iter().map(|candidate| address_of(&candidate.options)).collect()
    }

    /// Whether both lead to the same server, as far as their texts tell.
    pub fn is_same_server(&self, other: &Self) -> bool {
        let addresses = |target: &Self| {
            let mut all = target.address_list();
            all.sort();
            all
        };
        self.attributes == other.attributes && addresses(self) == addresses(other)
    }

    /// The database's name: as in libpq, the user's name when no database is named.
    pub fn database_name(&self) -> &str {
        let options = self.first();
        options.get_database().filter(|name| !name.is_empty()).unwrap_or_else(|| options.get_username())
    }
}

/// From libpq's parameters.
///
/// # Errors
///
/// The parameter whose value cannot be used.
pub fn target(
    pairs: &Pairs,
    mut ignored: Vec<String>,
    environment: Lookup<'_>,
) -> Result<ConnectTarget, ConninfoError> {
    let list = |name: &str| -> Vec<&str> { pairs.get(name).map_or(Vec::new(), |text| text.split(',').collect()) };
    let (hosts, addresses, ports) = (list("host"), list("hostaddr"), list("port"));
    let count = hosts.len().max(addresses.len()).max(1);
    for (others, what) in [(addresses.len(), "addresses"), (hosts.len(), "hosts")] {
        if others != 0 && others != count {
            return Err(ConninfoError::Count { hosts: count, others, what });
        }
    }
    if ports.len() > 1 && ports.len() != count {
        return Err(ConninfoError::Count { hosts: count, others: ports.len(), what: "ports" });
    }
    let certificates = Certificates::find(pairs, environment);
    certificates.missing.iter().for_each(|missing| warn(&mut ignored, missing));
    let mut candidates = Vec::with_capacity(count);
    for index in 0..count {
        let port = ports.get(index).or(ports.first()).copied().unwrap_or("");
        let port: u16 = match port {
            "" => 5432,
            port => port.trim().parse().ok().filter(|port| *port > 0).ok_or(ConninfoError::Port)?,
        };
        let (host, address) = (hosts.get(index).copied(), addresses.get(index).copied());
        if address.is_some_and(|address| !address.is_empty() && address.parse::<IpAddr>().is_err()) {
            return Err(ConninfoError::Value { name: "hostaddr", expected: "an IP address" });
        }
        let named = host.filter(|host| !host.is_empty());
        let address = address.filter(|address| !address.is_empty());
        let place = match (named, address) {
            // The driver expects a certificate for the place where it connects.
            (Some(name), Some(_)) if pairs.get("sslmode") == Some("verify-full") => {
                warn(
                    &mut ignored,
                    "hostaddr (sslmode=verify-full connects to the address that the system finds for host)",
                );
                Some(name)
            }
            _ => address.or(named),
        };
        let options = base(pairs)?.port(port);
        let options = with_password(pairs, login(pairs, options, place), named, environment);
        let (options, with_tls) = certificates.apply(pairs, options)?;
        candidates.push(Candidate { options, with_tls });
    }
    Ok(ConnectTarget {
        candidates,
        attributes: attributes(pairs)?,
        names_attributes: pairs.get("target_session_attrs").is_some_and(|wanted| !wanted.is_empty()),
        shuffled: match pairs.get("load_balance_hosts") {
            None | Some("" | "disable") => false,
            Some("random") => true,
            Some(_) => return Err(ConninfoError::Value { name: "load_balance_hosts", expected: "disable or random" }),
        },
        timeout: timeout(pairs)?,
        ignored,
        budget: Arc::default(),
        max_connections: None,
        purpose: Purpose::Pass,
        transactions: OwnTransactions::default(),
    })
}

fn attributes(pairs: &Pairs) -> Result<SessionAttributes, ConninfoError> {
    Ok(match pairs.get("target_session_attrs") {
        None | Some("" | "any") => SessionAttributes::Any,
        Some("read-write") => SessionAttributes::ReadWrite,
        Some("read-only") => SessionAttributes::ReadOnly,
        Some("primary") => SessionAttributes::Primary,
        Some("standby") => SessionAttributes::Standby,
        Some("prefer-standby") => SessionAttributes::PreferStandby,
        Some("prefer-primary") => SessionAttributes::PreferPrimary,
        Some(_) => {
            let expected = "any, read-write, read-only, primary, standby or prefer-standby";
            return Err(ConninfoError::Value { name: "target_session_attrs", expected });
        }
    })
}

/// As libpq: 0 and less mean the default here, and 1 means 2 seconds.
fn timeout(pairs: &Pairs) -> Result<Duration, ConninfoError> {
    let Some(text) = pairs.get("connect_timeout").filter(|text| !text.is_empty()) else { return Ok(CONNECT_TIMEOUT) };
    let expected = "a whole number of seconds";
    let seconds: i32 = text.trim().parse().map_err(|_| ConninfoError::Value { name: "connect_timeout", expected })?;
    Ok(if seconds <= 0 { CONNECT_TIMEOUT } else { Duration::from_secs(u64::from(seconds.unsigned_abs().max(2))) })
}

fn warn(ignored: &mut Vec<String>, warning: &str) {
    if !ignored.iter().any(|known| known == warning) {
        ignored.push(warning.to_owned());
    }
}

fn login(pairs: &Pairs, mut options: PgConnectOptions, place: Option<&str>) -> PgConnectOptions {
    options = match place {
        Some(folder) if folder.starts_with('/') => options.socket(folder),
        // An IPv6 address without the brackets of a URL.
        Some(host) => options.host(host.trim_start_matches('[').trim_end_matches(']')),
        None => options,
    };
    if let Some(user) = pairs.get("user") {
        options = options.username(user);
    }
    if let Some(database) = pairs.get("dbname") {
        options = options.database(database);
    }
    let name = pairs.get("application_name").or(pairs.get("fallback_application_name")).unwrap_or(APPLICATION_NAME);
    options.application_name(name).extra_float_digits(None).disable_statement_logging()
}

/// What sqlx can take only from a URL: settings for the server, in any form.
fn base(pairs: &Pairs) -> Result<PgConnectOptions, ConninfoError> {
    let Some(settings) = pairs.get("options").filter(|settings| !settings.is_empty()) else {
        return Ok(PgConnectOptions::new_without_pgpass());
    };
    let mut url = url::Url::parse("postgres://localhost").map_err(|_| ConninfoError::Form)?;
    url.query_pairs_mut().append_pair("options", settings);
    // A connection string without a password must not take the one that the password file has for localhost.
    let options = PgConnectOptions::from_url(&url).map_err(|_| ConninfoError::Form)?.password("");
    Ok(PgConnectOptions::new_without_pgpass().get_socket().map_or(options.clone(), |socket| options.socket(socket)))
}

/// With the password of the connection string, or that of the password file, which has the host by its name.
fn with_password(
    pairs: &Pairs,
    options: PgConnectOptions,
    name: Option<&str>,
    environment: Lookup<'_>,
) -> PgConnectOptions {
    if let Some(written) = pairs.get("password").filter(|password| !password.is_empty()) {
        return options.password(written);
    }
    let default = || environment("HOME").map(|home| PathBuf::from(home).join(".pgpass"));
    let Some(path) = pairs.get("passfile").map(PathBuf::from).or_else(default) else { return options };
    let database = options.get_database().unwrap_or(options.get_username());
    let find = |host: &str| password(&path, host, options.get_port(), database, options.get_username());
    let found = match options.get_socket() {
        Some(folder) => find("localhost").or_else(|| find(&folder.display().to_string())),
        None => find(name.unwrap_or(options.get_host())),
    };
    match found {
        Some(password) => options.password(&password),
        None => options,
    }
}
