//! The `[http]` section: where the agent answers.

use std::net::SocketAddr;
use std::path::Path;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::layers::{ConfigLocations, Layers};
use super::raw::RawHttp;

/// Where the agent answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    pub listen: SocketAddr,
}

impl Http {
    /// Loads this section only, for a health check: it asks an agent that is alive even while the file that holds a
    /// connection URL cannot be read.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`](super::Settings::load), without what concerns the other sections' values.
    pub fn load(file: Option<&Path>, environment: &Environment) -> Result<Self, ConfigError> {
        let Layers { raw, places } = Layers::load(file, environment)?;
        Self::judge(&raw.http, &places)
    }

    /// Judges the values as written.
    pub(super) fn judge(raw: &RawHttp, places: &ConfigLocations) -> Result<Self, ConfigError> {
        let expected = "an address and a port, such as \"127.0.0.1:9847\" or \"[::]:9847\"";
        let listen =
            raw.listen.parse().map_err(|_| places.invalid("http.listen", display_or_hide(&raw.listen), expected))?;
        Ok(Self { listen })
    }

    pub(super) fn raw(self) -> RawHttp {
        RawHttp { listen: self.listen.to_string() }
    }
}
