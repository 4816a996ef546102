//! Finds the programs of a PostgreSQL server.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::ServerError;

/// The variable with the folder of the programs. The test matrix sets it.
pub(super) const PINNED: &str = "PGMEDIC_PG_BIN";

/// Folders that packages install to: (parent, how the version folder's name begins, below it).
const USUAL: [(&str, &str, &str); 4] = [
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql", "bin"),
    ("/usr/local/opt", "postgresql", "bin"),
];
const BUILT_FROM_SOURCE: &str = "/usr/local/pgsql/bin";

/// The folder that holds `initdb` and `postgres`: the pinned one, or else the first one found on `PATH`, by
/// `pg_config`, or in the usual folders, newest version first.
pub(super) fn find() -> Result<PathBuf, ServerError> {
    if let Some(folder) = std::env::var_os(PINNED).filter(|value| !value.is_empty()) {
        return pinned(&PathBuf::from(folder));
    }
    on_path(std::env::var_os("PATH")).or_else(by_pg_config).or_else(in_usual_folders).ok_or(ServerError::NotFound)
}

fn pinned(folder: &Path) -> Result<PathBuf, ServerError> {
    real_folder(folder).ok_or_else(|| ServerError::PinnedFolder(folder.to_owned()))
}

fn on_path(path: Option<OsString>) -> Option<PathBuf> {
    std::env::split_paths(&path?).find_map(|folder| real_folder(&folder))
}

fn by_pg_config() -> Option<PathBuf> {
    let output = Command::new("pg_config").arg("--bindir").output().ok()?;
    let folder = String::from_utf8(output.stdout).ok()?;
    real_folder(Path::new(folder.trim_end()))
}

fn in_usual_folders() -> Option<PathBuf> {
    USUAL
        .iter()
        .flat_map(|(parent, prefix, below)| newest_first(Path::new(parent), prefix, below))
        .chain([PathBuf::from(BUILT_FROM_SOURCE)])
        .find_map(|folder| real_folder(&folder))
}

fn newest_first(parent: &Path, prefix: &str, below: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix(prefix)?.trim_start_matches('@').to_owned();
            Some((version_number(&version), entry.path().join(below)))
        })
        .collect();
    found.sort_by(|one, other| other.cmp(one));
    found.into_iter().map(|(_, folder)| folder).collect()
}

/// `9.6` before `16`; a folder without a number (Homebrew's alias) last.
fn version_number(version: &str) -> Vec<u32> {
    version.split('.').map_while(|part| part.parse().ok()).collect()
}

/// The folder that contains both programs, with links resolved: a link on `PATH` may name a single program, but
/// `postgres` looks for its libraries and time zones next to itself.
fn real_folder(folder: &Path) -> Option<PathBuf> {
    let real = folder.join("postgres").canonicalize().ok()?.parent()?.to_owned();
    ["initdb", "postgres"].iter().all(|program| is_executable(&real.join(program))).then_some(real)
}

fn is_executable(file: &Path) -> bool {
    fs::metadata(file).is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use crate::binaries::*;

    fn install(folder: &Path, programs: &[&str]) {
        fs::create_dir_all(folder).unwrap();
        for program in programs {
            fs::write(folder.join(program), "").unwrap();
            fs::set_permissions(folder.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn scratch() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap();
        (dir, path)
    }

    #[test]
    fn a_link_on_path_leads_to_the_folder_the_programs_are_in() {
        let (_dir, at) = scratch();
        install(&at.join("15/bin"), &["initdb", "postgres"]);
        fs::create_dir(at.join("links")).unwrap();
        symlink(at.join("15/bin/postgres"), at.join("links/postgres")).unwrap();

        let path = std::env::join_paths([at.join("nothing"), at.join("links")]).unwrap();
        assert_eq!(on_path(Some(path)), Some(at.join("15/bin")));
    }

    #[test]
    fn a_folder_with_half_of_the_programs_is_passed_over() {
        let (_dir, at) = scratch();
        install(&at.join("half"), &["postgres"]);
        install(&at.join("whole"), &["initdb", "postgres"]);

        let path = std::env::join_paths([at.join("half"), at.join("whole")]).unwrap();
        assert_eq!(on_path(Some(path)), Some(at.join("whole")));
    }

    #[test]
    fn the_newest_version_comes_first_by_number_not_by_letter() {
        let (_dir, at) = scratch();
        for name in ["postgresql", "postgresql@9.6", "postgresql@16", "postgresql@14", "postgres-xl", "readme"] {
            install(&at.join(name), &[]);
        }

        let found = newest_first(&at, "postgresql", "bin");
        let expected =
            ["postgresql@16", "postgresql@14", "postgresql@9.6", "postgresql"].map(|name| at.join(name).join("bin"));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_pinned_folder_without_a_server_is_refused_and_named() {
        let message = pinned(Path::new("/nowhere/bin")).unwrap_err().to_string();
        assert!(message.contains("PGMEDIC_PG_BIN=/nowhere/bin"), "{message}");
    }

    #[test]
    fn finding_none_names_the_packages_and_the_variable() {
        let message = ServerError::NotFound.to_string();
        for fix in
            ["apt install postgresql", "dnf install postgresql-server", "brew install postgresql", "PGMEDIC_PG_BIN"]
        {
            assert!(message.contains(fix), "{message}");
        }
    }
}
