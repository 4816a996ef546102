//! Creates a cluster: `initdb`, `postgresql.conf`, `pg_hba.conf`.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use crate::programs::Programs;
use crate::{ServerError, ServerOptions};

/// No data has to survive a power cut; shared memory in files works where `/dev/shm` is small. `synchronous_commit` stays
/// on: without fsync it costs little, and without it a killed server would lose commits.
const SETTINGS: [(&str, &str); 3] =
    [("fsync", "off"), ("full_page_writes", "off"), ("dynamic_shared_memory_type", "mmap")];

/// Creates a cluster in `data` whose server listens on a socket in `socket`.
pub(super) fn create(
    programs: &mut Programs,
    data: &Path,
    socket: &Path,
    options: &ServerOptions,
) -> Result<(), ServerError> {
    let mut initdb = programs.command("initdb");
    initdb.args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"]).arg(data);
    programs.run(&mut initdb)?;

    write(&data.join("postgresql.conf"), |file| append(file, &settings(socket, options)))?;
    match &options.hba {
        Some(hba) => write(&data.join("pg_hba.conf"), |file| fs::write(file, hba)),
        None => Ok(()),
    }
}

fn write(file: &Path, action: impl FnOnce(&Path) -> io::Result<()>) -> Result<(), ServerError> {
    action(file).map_err(|source| ServerError::Io { what: "write", path: file.into(), source })
}

fn append(file: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new().append(true).open(file)?.write_all(text.as_bytes())
}

fn settings(socket: &Path, options: &ServerOptions) -> String {
    // The setting is a list: quotes around the folder, which may contain a comma.
    let socket = format!("\"{}\"", socket.to_string_lossy().replace('"', "\"\""));
    let address = if options.tcp { "127.0.0.1" } else { "" };
    let own = SETTINGS.into_iter().chain([("unix_socket_directories", &*socket), ("listen_addresses", address)]);
    let asked = options.settings.iter().map(|(name, value)| (&**name, &**value));

    own.chain(asked).fold(String::from("\n"), |mut lines, (name, value)| {
        let value = value.replace('\\', r"\\").replace('\'', "''");
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "{name} = '{value}'");
        lines
    })
}

#[cfg(test)]
mod tests {
    use crate::cluster::*;

    #[test]
    fn what_was_asked_for_comes_last_and_is_quoted() {
        let asked = vec![("log_line_prefix".to_owned(), r"it's \n".to_owned())];
        let text = settings(Path::new("/tmp/a, \"b\""), &ServerOptions { settings: asked, ..Default::default() });
        assert!(text.ends_with("log_line_prefix = 'it''s \\\\n'\n"), "{text}");
        assert!(text.contains(r#"unix_socket_directories = '"/tmp/a, ""b"""'"#), "{text}");
        assert!(text.contains("listen_addresses = ''"), "{text}");
    }
}
