//! TLS as libpq decides on it: which files are used, and what is verified.

use super::error::ConninfoError;
use super::{Lookup, Pairs};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// The files that a connection string names, or else those of `~/.postgresql`.
pub struct Certificates {
    root: Option<PathBuf>,
    client: Option<PathBuf>,
    key: Option<PathBuf>,
    /// The parameters that name a file which does not exist, where libpq connects without it.
    pub missing: Vec<String>,
}

impl Certificates {
    pub fn find(pairs: &Pairs, environment: Lookup<'_>) -> Self {
        let default = |file: &str| {
            let path = Path::new(&environment("HOME")?).join(".postgresql").join(file);
            path.is_file().then_some(path)
        };
        let written = |name: &str| pairs.get(name).filter(|path| !path.is_empty()).map(PathBuf::from);
        let (root, client) = (written("sslrootcert"), written("sslcert"));
        let mut missing = Vec::new();
        let must_verify = pairs.get("sslmode").is_some_and(|mode| mode.starts_with("verify"));
        let no_root =
            root.as_deref().is_some_and(|root| root != Path::new("system") && is_missing(root)) && !must_verify;
        if no_root {
            missing.push("sslrootcert (there is no such file, so the server's certificate is not verified)".to_owned());
        }
        let no_client = client.as_deref().is_some_and(is_missing);
        if no_client {
            missing.push("sslcert (there is no such file)".to_owned());
        }
        let root = if no_root { None } else { root.or_else(|| default("root.crt")) };
        let client = if no_client { None } else { client.or_else(|| default("postgresql.crt")) };
        // One without the other is an error of the driver's, which names both; without its certificate, a key is of no use.
        let key = written("sslkey").or_else(|| default("postgresql.key")).filter(|_| client.is_some());
        Self { root, client, key, missing }
    }

    /// The options with these files, and where `sslmode` is `allow`, those for a second try with TLS. `require` verifies where
    /// there is a root certificate.
    ///
    /// # Errors
    ///
    /// An `sslmode` that does not exist.
    pub fn apply(
        &self,
        pairs: &Pairs,
        mut options: PgConnectOptions,
    ) -> Result<(PgConnectOptions, Option<PgConnectOptions>), ConninfoError> {
        let system = self.root.as_deref() == Some(Path::new("system"));
        if let Some(client) = &self.client {
            options = options.ssl_client_cert(client);
        }
        if let Some(key) = &self.key {
            options = options.ssl_client_key(key);
        }
        if let Some(root) = self.root.as_ref().filter(|_| !system) {
            options = options.ssl_root_cert(root);
        }
        let mode = match pairs.get("sslmode") {
            None | Some("" | "prefer") if system => PgSslMode::VerifyFull,
            None | Some("" | "prefer") => PgSslMode::Prefer,
            Some("disable") => PgSslMode::Disable,
            Some("allow") => {
                let with_tls = Some(options.clone().ssl_mode(PgSslMode::Require));
                return Ok((options.ssl_mode(PgSslMode::Disable), with_tls));
            }
            Some("require") if system => PgSslMode::VerifyFull,
            Some("require") if self.root.is_some() => PgSslMode::VerifyCa,
            Some("require") => PgSslMode::Require,
            Some("verify-ca") => PgSslMode::VerifyCa,
            Some("verify-full") => PgSslMode::VerifyFull,
            Some(_) => {
                let expected = "disable, allow, prefer, require, verify-ca or verify-full";
                return Err(ConninfoError::Value { name: "sslmode", expected });
            }
        };
        // As libpq: there is no TLS on a socket, in any mode.
        let mode = if options.get_socket().is_some() { PgSslMode::Disable } else { mode };
        Ok((options.ssl_mode(mode), None))
    }
}

fn is_missing(path: &Path) -> bool {
    let error = fs::metadata(path).err();
    error.is_some_and(|error| matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory))
}
