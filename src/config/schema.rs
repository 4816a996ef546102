//! Lookups in the list of keys (`keys.rs`).
//!
//! The file and the environment are both checked against that list, so an error has the same words wherever the mistake
//! was made, and no key is ignored.

use super::key::{Key, KeyType};
use super::keys::{RENAMED, Section, Written};

/// The keys of the top level.
pub(super) const ROOT: &[Key] = Written::KEYS;

/// The keys that one variable can set, as paths such as `sequences.repair`.
pub(super) fn env_keys() -> Vec<(String, &'static KeyType)> {
    let mut found = Vec::new();
    collect(ROOT, "", &mut |path, kind| {
        if !matches!(kind, KeyType::Tables(_)) {
            found.push((path, kind));
        }
    });
    found
}

/// The keys that hold a list of tables, as paths.
pub(super) fn lists_of_tables() -> Vec<String> {
    let mut found = Vec::new();
    collect(ROOT, "", &mut |path, kind| {
        if matches!(kind, KeyType::Tables(_)) {
            found.push(path);
        }
    });
    found
}

fn collect(keys: &'static [Key], above: &str, each: &mut impl FnMut(String, &'static KeyType)) {
    for key in keys {
        let path = join(above, key.name);
        match &key.value {
            KeyType::Table(below) => collect(below, &path, each),
            kind => each(path, kind),
        }
    }
}

/// `above.name`, or `name` at the top level.
pub(super) fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
}

/// The present name of a key that had the name `old` before. `above` is the path of its table, such as `sessions[0]`.
pub(super) fn new_name(above: &str, old: &str) -> Option<&'static str> {
    let table = without_indices(above);
    RENAMED.iter().find(|(section, name, _)| *section == table && *name == old).map(|(_, _, new)| *new)
}

/// The path without the indices of list entries, as a TOML header has it: `sessions[0].revoke` is `sessions.revoke`.
pub(super) fn without_indices(path: &str) -> String {
    path.split('[').map(|piece| piece.split_once(']').map_or(piece, |(_, rest)| rest)).collect()
}

/// The known name closest to what was written, if one is close enough to have been meant.
pub(super) fn nearest<'a>(written: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let written = written.to_lowercase();
    known
        .map(|name| (strsim::damerau_levenshtein(&written, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= (name.len() / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
