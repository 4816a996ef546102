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
mod tests {
    use super::*;

    /// `table.column`, a key where it is written `table.column!`.
    fn columns(names: &[&str]) -> Vec<Column> {
        let column = |name: &&str| {
            let (table, column) = name.trim_end_matches('!').split_once('.').unwrap();
            Column {
                schema: "public".to_owned(),
                table: table.to_owned(),
                column: column.to_owned(),
                is_key: name.ends_with('!'),
            }
        };
        names.iter().map(column).collect()
    }

    fn feeds(sequence: &str, names: &[&str]) -> Option<String> {
        let columns = columns(names);
        likely_column(sequence, &columns).map(|found| format!("{}.{}", found.table, found.column))
    }

    #[test]
    fn each_frameworks_names_are_understood() {
        let shop =
            ["orders.id!", "order_items.id!", "Person.Id!", "categories.id!", "foo.id!", "foo.code!", "boxes.id!"];
        for (sequence, column) in [
            ("orders_id_seq", Some("orders.id")),
            ("order_items_id_seq", Some("order_items.id")),
            ("orders_id_seq1", Some("orders.id")),
            ("orders_seq", Some("orders.id")),
            ("order_seq", Some("orders.id")),
            ("order_SEQ", Some("orders.id")),
            ("Person_SEQ", Some("Person.Id")),
            ("PersonSeq", Some("Person.Id")),
            ("PersonHiLoSequence", Some("Person.Id")),
            ("PeopleSequence", None),
            ("seq_orders", Some("orders.id")),
            ("s_orders", Some("orders.id")),
            ("category_seq", Some("categories.id")),
            ("box_seq", Some("boxes.id")),
            ("foo_id_seq", Some("foo.id")),
            ("foo_seq", None),
            ("hibernate_sequence", None),
            ("EntityFrameworkHiLoSequence", None),
            ("orders", None),
        ] {
            assert_eq!(feeds(sequence, &shop).as_deref(), column, "{sequence}");
        }
    }

    #[test]
    fn streams_are_found_beside_the_key() {
        let synapse = [
            "events.stream_ordering!",
            "state_groups.id!",
            "device_inbox.stream_id",
            "device_lists_stream.stream_id",
            "receipts_linearized.stream_id!",
            "cache_invalidation_stream_by_instance.stream_id",
            "presence_stream.stream_id",
            "application_services_txns.txn_id!",
        ];
        for (sequence, column) in [
            ("events_stream_seq", "events.stream_ordering"),
            ("state_group_id_seq", "state_groups.id"),
            ("device_inbox_sequence", "device_inbox.stream_id"),
            ("device_lists_sequence", "device_lists_stream.stream_id"),
            ("receipts_sequence", "receipts_linearized.stream_id"),
            ("cache_invalidation_stream_seq", "cache_invalidation_stream_by_instance.stream_id"),
            ("presence_stream_sequence", "presence_stream.stream_id"),
            ("application_services_txn_id_seq", "application_services_txns.txn_id"),
        ] {
            assert_eq!(feeds(sequence, &synapse).as_deref(), Some(column), "{sequence}");
        }
    }

    #[test]
    fn two_columns_that_fit_alike_are_no_suggestion() {
        assert_eq!(feeds("orders_seq", &["orders.id!", "Orders.id!"]), None);
    }
}
