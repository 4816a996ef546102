//! The account that runs the server, and a private directory for it.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{User, geteuid};
use tempfile::TempDir;

use crate::ServerError;

/// The accounts that run the server instead of root, best first.
const UNPRIVILEGED_ACCOUNTS: [&str; 2] = ["postgres", "nobody"];

/// The longest path of the directory, in bytes. A Unix socket's path has room for 103 bytes on macOS and 107 on Linux, and
/// `/.s.PGSQL.65535` takes 15 of them.
const MAX_DIRECTORY_LENGTH: usize = 88;

/// The account that runs the server: an unprivileged one if this process runs as root, because PostgreSQL refuses root.
#[derive(Debug)]
pub(super) struct Account {
    stand_in: Option<User>,
}

impl Account {
    pub(super) fn choose() -> Result<Self, ServerError> {
        if !geteuid().is_root() {
            return Ok(Self { stand_in: None });
        }
        let stand_in = UNPRIVILEGED_ACCOUNTS.iter().find_map(|name| User::from_name(name).ok().flatten());
        stand_in.map(|user| Self { stand_in: Some(user) }).ok_or(ServerError::NoAccount)
    }

    /// A command that runs as this account. The standard library drops root's supplementary groups with the uid.
    pub(super) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        if let Some(user) = &self.stand_in {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    /// For messages: ` as account "postgres"`, or nothing if it is the account of this process.
    pub(super) fn describe(&self) -> String {
        self.stand_in.as_ref().map_or_else(String::new, |user| format!(" as account \"{}\"", user.name))
    }

    /// A new directory that only the account can enter: under `TMPDIR`, or under `/tmp` where `TMPDIR` cannot be used.
    pub(super) fn directory(&self) -> Result<TempDir, ServerError> {
        let made = self.directory_in(&std::env::temp_dir()).or_else(|_| self.directory_in(Path::new("/tmp")));
        made.map_err(|source| ServerError::Io {
            what: "make a directory for the server under",
            path: "/tmp".into(),
            source,
        })
    }

    fn directory_in(&self, parent: &Path) -> io::Result<TempDir> {
        let parent = parent.canonicalize()?;
        if self.stand_in.is_some() && !is_open_to_all(&parent)? {
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, "other accounts cannot reach it"));
        }
        let directory = tempfile::Builder::new()
            .prefix("pgmedic-")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(parent)?;
        if directory.path().as_os_str().len() > MAX_DIRECTORY_LENGTH {
            return Err(io::Error::new(io::ErrorKind::InvalidFilename, "too long for a Unix socket"));
        }
        self.chown_to_account(directory.path())?;
        Ok(directory)
    }

    fn chown_to_account(&self, path: &Path) -> io::Result<()> {
        match &self.stand_in {
            Some(user) => chown(path, Some(user.uid.as_raw()), Some(user.gid.as_raw())),
            None => Ok(()),
        }
    }
}

fn is_open_to_all(directory: &Path) -> io::Result<bool> {
    for ancestor in directory.ancestors() {
        if fs::metadata(ancestor)?.permissions().mode() & 0o001 == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use crate::account::*;

    #[test]
    fn a_directory_inside_a_private_one_is_not_reachable_by_another_account() {
        let account = Account { stand_in: None };
        let private = account.directory().unwrap();
        let inside = private.path().join("inside");
        fs::create_dir(&inside).unwrap();
        assert!(!is_open_to_all(&inside).unwrap());
        assert!(is_open_to_all(Path::new("/tmp")).unwrap());
    }

    #[test]
    fn a_parent_whose_sockets_would_have_too_long_a_path_is_refused() {
        let parent = tempfile::tempdir().unwrap();
        let long = parent.path().join("x".repeat(MAX_DIRECTORY_LENGTH));
        fs::create_dir(&long).unwrap();
        let refused = Account { stand_in: None }.directory_in(&long).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::InvalidFilename);
        assert_eq!(fs::read_dir(&long).unwrap().count(), 0, "it left something behind");
    }
}
