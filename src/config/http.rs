//! The `[http]` section: the address of the agent's HTTP endpoint.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenHttp;
use super::layers::{ConfigLocations, Layers};

/// The address of the agent's HTTP endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Http {
    /// None: no endpoint.
    pub listen: Option<SocketAddr>,
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
        Ok(Self { listen })
    }
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
