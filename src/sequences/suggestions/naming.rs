//! Which column a sequence feeds by its name: the rules of the frameworks that name sequences. Pure.
//!
//! | name | feeds | named by |
//! |---|---|---|
//! | `orders_id_seq` | `orders.id` | Rails, Django, SQLAlchemy, `serial` |
//! | `orders_seq`, `Order_SEQ` | the key of `orders`, of `Order` | Hibernate, ora2pg |
//! | `seq_orders`, `s_orders` | the key of `orders` | Oracle schemas, by ora2pg |
//! | `OrderHiLoSequence`, `OrderSequence` | the key of `Order` or `Orders` | EF Core |
//! | `events_stream_seq`, `device_inbox_sequence` | `events.stream_ordering`, `device_inbox.stream_id` | Synapse |
//!
//! Case and underscores are ignored, and a table may be in the plural.

/// What a sequence's name may begin with.
const PREFIXES: [&str; 4] = ["sequence_", "seq_", "sq_", "s_"];
/// What it may end with, the longer ones first.
const SUFFIXES: [&str; 9] =
    ["_hilo_sequence", "hilosequence", "_sequence", "sequence", "_seq", "_hilo", "_sq", "hilo", "seq"];

/// A column that a sequence might feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    pub schema: String,
    pub table: String,
    pub column: String,
    /// A unique index has the column alone.
    pub is_key: bool,
}

/// The column that the name of a sequence points at, if it is one alone. All are in the sequence's schema.
pub fn likely_column<'a>(sequence: &str, columns: impl IntoIterator<Item = &'a Column>) -> Option<&'a Column> {
    let subjects = subjects(sequence);
    let mut best: Option<(u32, Vec<&Column>)> = None;
    for column in columns {
        let Some(score) = subjects.iter().filter_map(|subject| score(subject, column)).max() else { continue };
        match &mut best {
            Some((known, same)) if *known == score => same.push(column),
            Some((known, _)) if *known > score => {}
            _ => best = Some((score, vec![column])),
        }
    }
    match best?.1.as_slice() {
        [only] => Some(only),
        _ => None,
    }
}

/// Whether the name is one that EF Core gives to a sequence of blocks.
pub fn is_hilo(sequence: &str) -> bool {
    sequence.to_lowercase().contains("hilo")
}

/// What the name says that the sequence is for: the name without the words for a sequence.
fn subjects(sequence: &str) -> Vec<String> {
    let name = sequence.to_lowercase();
    // PostgreSQL appends a number to a name that is taken.
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let without_prefix = PREFIXES.iter().filter_map(|prefix| name.strip_prefix(prefix));
    let without_suffix = SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix));
    without_prefix.chain(without_suffix).filter(|subject| !subject.is_empty()).map(str::to_owned).collect()
}

/// How well a subject fits a column; none where it does not.
fn score(subject: &str, column: &Column) -> Option<u32> {
    let table = column.table.to_lowercase();
    let name = squeeze(&column.column.to_lowercase());
    let subject_words = squeeze(subject);
    let is_stream = name.starts_with("stream");
    for (form, penalty) in forms(&table) {
        let Some(rest) = subject_words.strip_prefix(form.as_str()) else { continue };
        let found = if rest == name {
            100
        } else if rest.is_empty() && column.is_key {
            90
        } else if rest.is_empty() && name == "id" {
            80
        } else if rest.is_empty() && is_stream {
            70
        } else if !rest.is_empty() && is_stream && name.starts_with(rest) {
            // events_stream for events.stream_ordering
            85
        } else if rest == "id" && column.is_key && name.ends_with("id") {
            // application_services_txn_id for application_services_txns.txn_id
            75
        } else {
            continue;
        };
        return Some(found - penalty);
    }
    // device_lists for device_lists_stream.stream_id
    (is_stream && table.starts_with(&format!("{subject}_"))).then_some(50)
}

/// The table's name in singular and plural, without underscores; the name itself first.
fn forms(table: &str) -> Vec<(String, u32)> {
    let name = squeeze(table);
    let mut forms = vec![(name.clone(), 0)];
    if let Some(stem) = name.strip_suffix("ies") {
        forms.push((format!("{stem}y"), 1));
    } else if let Some(stem) = name.strip_suffix("ses").or_else(|| name.strip_suffix("xes")) {
        forms.push((name[..stem.len() + 1].to_owned(), 1));
    }
    match name.strip_suffix('s') {
        Some(stem) if !stem.is_empty() => forms.push((stem.to_owned(), 1)),
        _ => forms.push((format!("{name}s"), 1)),
    }
    forms
}

fn squeeze(name: &str) -> String {
    name.replace('_', "")
}

#[cfg(test)]
#[path = "naming_tests.rs"]
mod tests;
