//! The `[http]` section: the address of the agent's HTTP endpoint, and the names under which it is reached.

use std::net::SocketAddr;
use std::path::Path;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenHttp;
use super::layers::{ConfigLocations, Layers};

/// The address of the agent's HTTP endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
    /// Names of a host that are answered besides `localhost` and addresses, where `listen` is a loopback address.
    pub allowed_hosts: Vec<String>,
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
        let expected = "an address and a port, such as \"127.0.0.1:9847\" or \"[::]:9847\"";
        let listen = written
            .listen
            .parse()
            .map_err(|_| locations.invalid("http.listen", display_or_hide(&written.listen), expected))?;
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
        Ok(Self { listen, allowed_hosts: written.allowed_hosts.clone() })
    }
}
