//! The `[http]` section: the address of the agent's HTTP endpoint.

use std::net::SocketAddr;
use std::path::Path;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenHttp;
use super::layers::{ConfigLocations, Layers};

/// The address of the agent's HTTP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
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
        Ok(Self { listen })
    }
}
