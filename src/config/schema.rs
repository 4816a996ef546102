//! Every key of the configuration and the kind of value it takes.
//!
//! The file and the environment are both checked against this list, so that a mistake is named in
//! the same words wherever it was made, and no key is ever ignored.

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: KeyType,
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum KeyType {
    /// `[name]`
    Table(&'static [Key]),
    /// `[[name]]`, any number of times; only the file can hold these.
    Tables(&'static [Key]),
    Bool,
    Integer,
    Float,
    Duration,
    String,
    /// Text that is never shown.
    Secret,
    List,
    /// Text, a whole number, true or false.
    Scalar,
}

const fn key(name: &'static str, kind: KeyType) -> Key {
    Key { name, kind }
}

/// The top level. A new section is one line here, one in `raw.rs` and one in `Settings`.
pub(super) const ROOT: &[Key] = &[
    key("databases", KeyType::Tables(DATABASE)),
    key("sequences", KeyType::Table(SEQUENCES)),
    key("sessions", KeyType::Tables(SESSIONS)),
    key("http", KeyType::Table(HTTP)),
    key("log", KeyType::Table(LOG)),
];

const DATABASE: &[Key] = &[key("name", KeyType::String), key("url", KeyType::Secret), key("url_file", KeyType::String)];

const SEQUENCES: &[Key] = &[
    key("schedule", KeyType::String),
    key("listen_notify", KeyType::Bool),
    key("repair", KeyType::Bool),
    key("include", KeyType::List),
    key("exclude", KeyType::List),
    key("headroom", KeyType::Integer),
    key("advance_limit", KeyType::Integer),
    key("max_repair_ratio", KeyType::Float),
    key("lock_timeout", KeyType::Duration),
    key("statement_timeout", KeyType::Duration),
    key("full_pass_every", KeyType::Integer),
    key("feeds", KeyType::Tables(FEED)),
];

const FEED: &[Key] =
    &[key("sequence", KeyType::String), key("column", KeyType::String), key("database", KeyType::String)];

const SESSIONS: &[Key] = &[
    key("name", KeyType::String),
    key("database", KeyType::String),
    key("preset", KeyType::String),
    key("table", KeyType::String),
    key("expires_at", KeyType::String),
    key("last_activity", KeyType::String),
    key("idle_timeout", KeyType::Duration),
    key("created_at", KeyType::String),
    key("absolute_timeout", KeyType::Duration),
    key("encoding", KeyType::String),
    key("time_zone", KeyType::String),
    key("action", KeyType::String),
    key("revoke", KeyType::Table(REVOKE)),
    key("user", KeyType::String),
    key("max_per_user", KeyType::Integer),
    key("schedule", KeyType::String),
    key("batch_size", KeyType::Integer),
    key("grace_period", KeyType::Duration),
    key("max_ended_ratio", KeyType::Float),
    key("guard_min_sessions", KeyType::Integer),
    key("sweep_timeout", KeyType::Duration),
];

const REVOKE: &[Key] = &[key("column", KeyType::String), key("value", KeyType::Scalar)];

const HTTP: &[Key] = &[key("listen", KeyType::String)];

const LOG: &[Key] = &[key("format", KeyType::String), key("level", KeyType::String)];

impl KeyType {
    /// How a value of this kind is written, to follow "expected".
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Tables(_) => "tables, each under its own [[…]] header",
            Self::Bool => "true or false",
            Self::Integer => "a whole number",
            Self::Float => "a number",
            Self::Duration => "a duration with its unit, such as \"100ms\" or \"5s\"",
            Self::String => "text in quotes",
            Self::Secret => "a connection URL in quotes",
            Self::List => "a list of texts, such as [\"public.*\"]",
            Self::Scalar => "text in quotes, a whole number, true or false",
        }
    }
}

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
        match &key.kind {
            KeyType::Table(below) => collect(below, &path, each),
            kind => each(path, kind),
        }
    }
}

/// `above.name`, or `name` at the top level.
pub(super) fn join(above: &str, name: &str) -> String {
    if above.is_empty() { name.to_owned() } else { format!("{above}.{name}") }
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
