//! The `[http]` section: the address of the agent's HTTP endpoint, and the names under which it is reached.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenHttp;
use super::layers::{ConfigLocations, Layers};
use super::links::PageLink;
use super::tls::TlsIdentity;

/// The address of the agent's HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// None: no endpoint.
    pub listen: Option<SocketAddr>,
    /// Names of a host that are answered besides `localhost` and addresses, where `listen` is a loopback address.
    pub allowed_hosts: Vec<String>,
    /// For TLS; none where plain text is served.
    pub tls: Option<TlsIdentity>,
    /// Who may read the pages; everyone where the list is empty.
    pub users: Vec<BasicAuthUser>,
    /// Where the status page leads to, such as Grafana.
    pub links: Vec<PageLink>,
    /// The pages of the other agents.
    pub agents: Vec<PageLink>,
}

/// A user of the basic authentication.
#[derive(Clone, PartialEq, Eq)]
pub struct BasicAuthUser {
    pub name: String,
    /// By bcrypt.
    pub password_hash: String,
}

/// Without the hash.
impl fmt::Debug for BasicAuthUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BasicAuthUser").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Http {
    /// Loads this section only, for `pgmedic healthcheck`, which must work while a file with a connection URL cannot be
    /// read.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`](super::Settings::load), but for the values of the other sections.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let Layers { written, locations } = Layers::load(file, environment)?;
        Self::validate(&written.http, &locations)
    }

    /// Checks the values of the section.
    pub(super) fn validate(written: &WrittenHttp, locations: &ConfigLocations) -> Result<Self, ConfigError> {
        let listen = parse(&written.listen).ok_or_else(|| {
            let expected = "an address and a port, such as \"127.0.0.1:9847\", \"localhost:9847\" or \":9847\" (every \
                            address), or \"off\"";
            locations.invalid("http.listen", display_or_hide(&written.listen), expected)
        })?;
        let is_host = |name: &str| {
            let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
            !name.is_empty() && name.len() <= 253 && name.chars().all(part)
        };
        for (index, name) in written.allowed_hosts.iter().enumerate() {
            if !is_host(name) {
                let key = format!("http.allowed_hosts[{index}]");
                let expected = "the name of a host without a port, such as \"status.example.org\"";
                return Err(locations.invalid(&key, display_or_hide(name), expected));
            }
        }
        let tls = TlsIdentity::validate(&written.tls_server_config, locations)?;
        Ok(Self {
            listen,
            allowed_hosts: written.allowed_hosts.clone(),
            tls,
            users: users(written, locations)?,
            links: PageLink::validate(&written.links, "http.links", locations)?,
            agents: PageLink::validate(&written.agents, "http.agents", locations)?,
        })
    }
}

fn users(written: &WrittenHttp, locations: &ConfigLocations) -> Result<Vec<BasicAuthUser>, ConfigError> {
    let mut names = BTreeSet::new();
    let mut users = Vec::new();
    for (index, user) in written.basic_auth_users.iter().enumerate() {
        let key = |name: &str| format!("http.basic_auth_users[{index}].{name}");
        let name = user.username.clone().unwrap_or_default();
        if name.is_empty() || name.contains(':') || name.contains(char::is_control) {
            let found = if name.is_empty() { "nothing".to_owned() } else { display_or_hide(&name) };
            return Err(locations.invalid(key("username"), found, "a name without a colon"));
        }
        if !names.insert(name.clone()) {
            return Err(locations.invalid(key("username"), display_or_hide(&name), "a name that no other user has"));
        }
        let password_hash = user.password_hash.clone().unwrap_or_default();
        if bcrypt::HashParts::from_str(&password_hash).is_err() {
            let expected = "a bcrypt hash, as `htpasswd -nBC 10 NAME` prints it after the colon";
            return Err(locations.invalid(key("password_hash"), "a text that is none", expected));
        }
        users.push(BasicAuthUser { name, password_hash });
    }
    Ok(users)
}

/// The address; none inside for `off`, and none at all for anything else. No name is looked up: `localhost` is the
/// loopback address.
fn parse(text: &str) -> Option<Option<SocketAddr>> {
    if text == "off" {
        return Some(None);
    }
    let address = match text.rsplit_once(':') {
        Some(("", port)) => SocketAddr::new(Ipv6Addr::UNSPECIFIED.into(), number(port)?),
        Some(("localhost", port)) => SocketAddr::new(Ipv4Addr::LOCALHOST.into(), number(port)?),
        _ => text.parse().ok()?,
    };
    Some(Some(address))
}

/// A port in digits: `+1` would be a number too.
fn number(port: &str) -> Option<u16> {
    port.bytes().all(|byte| byte.is_ascii_digit()).then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_other_programs_take_it() {
        let of = |text| parse(text).map(|listen| listen.map(|address| address.to_string()));
        for (text, address) in [
            ("127.0.0.1:9847", "127.0.0.1:9847"),
            ("[::]:9847", "[::]:9847"),
            (":9847", "[::]:9847"),
            ("localhost:9847", "127.0.0.1:9847"),
            ("localhost:0", "127.0.0.1:0"),
        ] {
            assert_eq!(of(text), Some(Some(address.to_owned())), "{text}");
        }
        assert_eq!(of("off"), Some(None));
        for text in ["", ":", "9847", ":+1", ":65536", "localhost", "db.internal:9847", "OFF", "127.0.0.1"] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
