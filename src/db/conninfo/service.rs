//! The connection service file (PostgreSQL manual, The Connection Service File).

use super::error::ConninfoError;
use super::{Lookup, Pairs};
use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;

/// The parameters of the service `name`: from the user's file first, then from the system's.
///
/// # Errors
///
/// When no file defines the service, or a file cannot be read.
pub fn read(name: &str, file: Option<&str>, environment: Lookup<'_>) -> Result<Pairs, ConninfoError> {
    let named = file.map(PathBuf::from).or_else(|| environment("PGSERVICEFILE").map(PathBuf::from));
    let home = environment("HOME").map(|home| PathBuf::from(home).join(".pg_service.conf"));
    let system = PathBuf::from(environment("PGSYSCONFDIR").unwrap_or("/etc/postgresql-common".to_owned()));
    let files: Vec<PathBuf> = named.or(home).into_iter().chain([system.join("pg_service.conf")]).collect();
    for path in &files {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(ConninfoError::ServiceFile { path: path.clone(), problem: error.to_string() }),
        };
        let found = section(&text, name);
        match found {
            Err(line) => {
                let problem = format!("line {line}: expected [name], or a parameter = value");
                return Err(ConninfoError::ServiceFile { path: path.clone(), problem });
            }
            Ok(Some(pairs)) => return Ok(pairs),
            Ok(None) => {}
        }
    }
    Err(ConninfoError::NoService { name: name.to_owned(), files })
}

/// The section of this name; or the number of the first line of it that cannot be read.
fn section(text: &str, name: &str) -> Result<Option<Pairs>, usize> {
    let mut found: Option<Pairs> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(header) = line.strip_prefix('[') {
            if found.is_some() {
                break;
            }
            // What stands behind the bracket does not count, as in libpq.
            if header.strip_prefix(name).is_some_and(|rest| rest.starts_with(']')) {
                found = Some(Pairs::default());
            }
        } else if let Some(pairs) = &mut found {
            let (key, value) = line.split_once('=').ok_or(index + 1)?;
            // libpq takes the first of several.
            pairs.set_default(key.trim(), value.trim());
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::section;

    #[test]
    fn a_section_ends_where_the_next_begins_and_comments_and_repetitions_do_not_count() {
        let text = "# ours\n[a]\nhost=h1\n\n[b] # old\nhost = h2\nport=5433\nhost=h3\n[c]\nnonsense\n";
        let b = section(text, "b").unwrap().unwrap();
        assert_eq!((b.get("host"), b.get("port")), (Some("h2"), Some("5433")));
        assert!(section(text, "d").unwrap().is_none());
        assert_eq!(section(text, "c").err(), Some(10));
    }
}
