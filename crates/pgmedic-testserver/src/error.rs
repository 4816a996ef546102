//! Why a server cannot be started.

use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;

use crate::binaries::PINNED;

/// How to install a server.
const INSTALL: &str = "apt install postgresql; dnf install postgresql-server; brew install postgresql";

/// Why a [`TestServer`](crate::TestServer) could not be started, stopped or restarted.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    #[error(
        "no PostgreSQL server found on PATH, by pg_config or in the usual folders: install it ({INSTALL}), or set \
         {PINNED} to the folder that holds initdb and postgres"
    )]
    NotFound,

    #[error(
        "{PINNED}={}: expected a folder that holds the programs initdb and postgres; correct it, or unset it to use an \
         installed server ({INSTALL})",
        .0.display()
    )]
    PinnedFolder(PathBuf),

    #[error("PostgreSQL refuses to run as root, and there is no account \"postgres\" or \"nobody\" to run it instead")]
    NoAccount,

    #[error("cannot {what} {}: {source}", path.display())]
    Io { what: &'static str, path: PathBuf, source: io::Error },

    #[error(
        "cannot run {}{account}: {source} (the account that runs it must be able to enter every folder above it)",
        program.display()
    )]
    Spawn { program: PathBuf, account: String, source: io::Error },

    #[error("{} failed ({status}):\n{output}", program.display())]
    Program { program: PathBuf, status: ExitStatus, output: String },

    #[error("PostgreSQL stopped while it was starting ({status}); its log ends with:\n{log}")]
    Stopped { status: ExitStatus, log: String },

    #[error("PostgreSQL was not ready within {seconds} s; its log ends with:\n{log}")]
    NotReady { seconds: u64, log: String },
}
