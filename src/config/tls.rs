//! `[http.tls_server_config]`: the certificate and the key of the HTTP endpoint.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::{Error as PemError, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenTls;
use super::layers::ConfigLocations;

const CERTIFICATE: &str = "http.tls_server_config.cert_file";
const KEY: &str = "http.tls_server_config.key_file";

/// A certificate with its key, read and found to belong together.
#[derive(Clone)]
pub struct TlsIdentity {
    /// The certificate itself, then those that lead to its authority.
    pub chain: Vec<CertificateDer<'static>>,
    pub server: Arc<ServerConfig>,
    key: Arc<PrivateKeyDer<'static>>,
}

impl TlsIdentity {
    /// None where neither file is named.
    pub(super) fn validate(written: &WrittenTls, locations: &ConfigLocations) -> Result<Option<Self>, ConfigError> {
        let (certificate, key) = (written.cert_file.as_str(), written.key_file.as_str());
        match (certificate.is_empty(), key.is_empty()) {
            (true, true) => return Ok(None),
            (true, false) => return Err(locations.invalid(KEY, "a key alone", "cert_file beside it")),
            (false, true) => return Err(locations.invalid(CERTIFICATE, "a certificate alone", "key_file beside it")),
            (false, false) => {}
        }
        let bad = |name: &str, file: &str, why: &dyn fmt::Display, expected: &str| {
            locations.invalid(name, format!("{}: {why}", display_or_hide(file)), expected)
        };
        let chain = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect::<Result<Vec<_>, _>>);
        let chain = match chain {
            Ok(chain) if chain.is_empty() => Err("it holds no certificate".to_owned()),
            other => other.map_err(|error| explain(&error, "no certificate")),
        };
        let chain =
            chain.map_err(|why| bad(CERTIFICATE, certificate, &why, "a file with a certificate chain in PEM"))?;
        let private = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| bad(KEY, key, &explain(&error, "no private key"), "a file with a private key in PEM"))?;
        let server = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map(|versions| versions.with_no_client_auth())
            .and_then(|builder| builder.with_single_cert(chain.clone(), private.clone_key()))
            .map_err(|error| bad(KEY, key, &error, "the key of the certificate in cert_file"))?;
        Ok(Some(Self { chain, server: Arc::new(server), key: Arc::new(private) }))
    }
}

fn explain(error: &PemError, nothing: &str) -> String {
    match error {
        PemError::Io(error) => format!("it cannot be read: {error}"),
        PemError::NoItemsFound => format!("it holds {nothing}"),
        other => other.to_string(),
    }
}

/// Two identities are the same when their files are.
impl PartialEq for TlsIdentity {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain && self.key == other.key
    }
}

impl Eq for TlsIdentity {}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity")
    }
}
