//! Every key of the configuration and the kind of value it takes.
//!
//! The file and the environment are both checked against this list, so that a mistake is named in
//! the same words wherever it was made, and no key is ever ignored.

/// One key of a table.
#[derive(Debug)]
pub(super) struct Key {
    pub name: &'static str,
    pub kind: Kind,
}

/// What a key takes.
#[derive(Debug)]
pub(super) enum Kind {
    /// `[name]`
    Table(&'static [Key]),
    /// `[[name]]`, any number of times; only the file can hold these.
    Tables(&'static [Key]),
    Switch,
    Whole,
    Fraction,
    Duration,
    Text,
    /// Text that is never shown.
    Secret,
    List,
    /// Text, a whole number, true or false.
    Scalar,
}

const fn key(name: &'static str, kind: Kind) -> Key {
    Key { name, kind }
}

/// The top level. A new section is one line here, one in `raw.rs` and one in `Settings`.
pub(super) const ROOT: &[Key] = &[
    key("databases", Kind::Tables(DATABASE)),
    key("sequences", Kind::Table(SEQUENCES)),
    key("sessions", Kind::Tables(SESSIONS)),
    key("http", Kind::Table(HTTP)),
    key("log", Kind::Table(LOG)),
];

const DATABASE: &[Key] = &[key("name", Kind::Text), key("url", Kind::Secret), key("url_file", Kind::Text)];

const SEQUENCES: &[Key] = &[
    key("schedule", Kind::Text),
    key("listen", Kind::Switch),
    key("repair", Kind::Switch),
    key("include", Kind::List),
    key("exclude", Kind::List),
    key("headroom", Kind::Whole),
    key("advance_limit", Kind::Whole),
    key("max_leap_ratio", Kind::Fraction),
    key("lock_timeout", Kind::Duration),
    key("statement_timeout", Kind::Duration),
    key("full_pass_every", Kind::Whole),
    key("feeds", Kind::Tables(FEED)),
];

const FEED: &[Key] = &[key("sequence", Kind::Text), key("column", Kind::Text), key("database", Kind::Text)];

const SESSIONS: &[Key] = &[
    key("name", Kind::Text),
    key("database", Kind::Text),
    key("preset", Kind::Text),
    key("table", Kind::Text),
    key("expires_at", Kind::Text),
    key("last_activity", Kind::Text),
    key("idle_timeout", Kind::Duration),
    key("created_at", Kind::Text),
    key("absolute_timeout", Kind::Duration),
    key("encoding", Kind::Text),
    key("time_zone", Kind::Text),
    key("action", Kind::Text),
    key("revoke", Kind::Table(REVOKE)),
    key("user", Kind::Text),
    key("keep_newest", Kind::Whole),
    key("schedule", Kind::Text),
    key("batch", Kind::Whole),
    key("grace", Kind::Duration),
    key("max_fraction", Kind::Fraction),
    key("guard_floor", Kind::Whole),
    key("sweep_timeout", Kind::Duration),
];

const REVOKE: &[Key] = &[key("column", Kind::Text), key("value", Kind::Scalar)];

const HTTP: &[Key] = &[key("listen", Kind::Text)];

const LOG: &[Key] = &[key("format", Kind::Text), key("level", Kind::Text)];

impl Kind {
    /// How a value of this kind is written, to follow "expected".
    pub(super) fn expected(&self) -> &'static str {
        match self {
            Self::Table(_) => "a table",
            Self::Tables(_) => "tables, each under its own [[…]] header",
            Self::Switch => "true or false",
            Self::Whole => "a whole number",
            Self::Fraction => "a number",
            Self::Duration => "a duration with its unit, such as \"100ms\" or \"5s\"",
            Self::Text => "text in quotes",
            Self::Secret => "a connection URL in quotes",
            Self::List => "a list of texts, such as [\"public.*\"]",
            Self::Scalar => "text in quotes, a whole number, true or false",
        }
    }
}

/// The keys that one variable can set, as paths such as `sequences.repair`.
pub(super) fn settable() -> Vec<(String, &'static Kind)> {
    let mut found = Vec::new();
    collect(ROOT, "", &mut |path, kind| {
        if !matches!(kind, Kind::Tables(_)) {
            found.push((path, kind));
        }
    });
    found
}

/// The keys that hold a list of tables, as paths.
pub(super) fn lists_of_tables() -> Vec<String> {
    let mut found = Vec::new();
    collect(ROOT, "", &mut |path, kind| {
        if matches!(kind, Kind::Tables(_)) {
            found.push(path);
        }
    });
    found
}

fn collect(keys: &'static [Key], above: &str, each: &mut impl FnMut(String, &'static Kind)) {
    for key in keys {
        let path = join(above, key.name);
        match &key.kind {
            Kind::Table(below) => collect(below, &path, each),
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
