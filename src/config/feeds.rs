//! `[[sequences.feeds]]`: links that the catalog does not record.

use std::str::FromStr;

use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::{ColumnName, NameError, TableName};

use super::declared_id::{DeclaredId, Star};
use super::error::{ConfigError, display_or_hide};
use super::keys::WrittenFeed;
use super::layers::ConfigLocations;
use super::values::display_with_problem;

/// Stands for `*` within parsed names. It is no letter of any language, so that no name holds it.
const STAR: char = '\u{E000}';

/// Columns that are fed by sequences because the configuration says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredFeed {
    /// With a placeholder for `*` in a pattern.
    pub(super) sequence: TableName,
    pub(super) column: ColumnName,
    /// As written, where it is a pattern.
    pattern: Option<(String, String)>,
    /// Only in the database of this configured name; in every one if none.
    pub database: Option<String>,
    /// Which ids the application makes from one value.
    pub allocator: Option<Allocator>,
}

impl DeclaredFeed {
    /// One sequence and one column, in every database.
    pub fn new(sequence: TableName, column: ColumnName) -> Self {
        Self { sequence, column, pattern: None, database: None, allocator: None }
    }

    /// What a sweep compares, where the feed may concern this database, or any.
    pub fn declared_id(&self, database: Option<&str>) -> Option<DeclaredId> {
        if matches!((&self.database, database), (Some(only), Some(one)) if !may_mean_one(only, one)) {
            return None;
        }
        let ColumnName { table, column } = &self.column;
        let star = [&table.schema, &table.name, column].iter().zip(1..).find_map(|(text, part)| {
            let (before, after) = text.split_once(STAR)?;
            Some(Star { part, before: before.to_owned(), after: after.to_owned() })
        });
        let plain = |text: &str| text.replace(STAR, "*");
        let sequence = TableName { schema: plain(&self.sequence.schema), name: plain(&self.sequence.name) };
        Some(DeclaredId { sequence, column: self.column.clone(), star, allocator: self.allocator.unwrap_or_default() })
    }

    /// The sequence and the column, where it is no pattern.
    pub fn names(&self) -> Option<(&TableName, &ColumnName)> {
        self.pattern.is_none().then_some((&self.sequence, &self.column))
    }

    /// The column that it declares for `sequence`, which need not exist.
    pub fn column_of(&self, sequence: &TableName) -> Option<ColumnName> {
        if self.pattern.is_none() {
            return (self.sequence == *sequence).then(|| self.column.clone());
        }
        let (pattern, name) = (&self.sequence, sequence);
        let text = match (text_of_star(&pattern.schema, &name.schema)?, text_of_star(&pattern.name, &name.name)?) {
            (Some(text), None) | (None, Some(text)) => text,
            _ => return None,
        };
        let fill = |part: &str| part.replace(STAR, text);
        let ColumnName { table: TableName { schema, name }, column } = &self.column;
        Some(ColumnName { table: TableName { schema: fill(schema), name: fill(name) }, column: fill(column) })
    }

    /// The sequence as the report names it.
    pub fn sequence_text(&self) -> String {
        self.pattern.as_ref().map_or_else(|| self.sequence.to_string(), |(sequence, _)| sequence.clone())
    }

    /// The column as the report names it.
    pub fn column_text(&self) -> String {
        self.pattern.as_ref().map_or_else(|| self.column.to_string(), |(_, column)| column.clone())
    }

    /// Whether both may declare links in the same database.
    fn shares_a_database(&self, other: &Self) -> bool {
        match (&self.database, &other.database) {
            (Some(one), Some(other)) => may_mean_one(one, other),
            _ => true,
        }
    }
}

/// Whether both names may mean one database: a server's name means all that are found on it.
fn may_mean_one(one: &str, other: &str) -> bool {
    let is_on = |database: &str, server: &str| database.strip_prefix(server).is_some_and(|rest| rest.starts_with('/'));
    one == other || is_on(one, other) || is_on(other, one)
}

/// The text that `*` stands for in `name`, none in the inner option where the pattern has no `*`; none where it does not
/// match.
fn text_of_star<'a>(pattern: &str, name: &'a str) -> Option<Option<&'a str>> {
    match pattern.split_once(STAR) {
        None => (pattern == name).then_some(None),
        Some((before, after)) => {
            let text = name.strip_prefix(before)?.strip_suffix(after)?;
            (!text.is_empty()).then_some(Some(text))
        }
    }
}

/// Checks the declared feeds.
pub(super) fn feeds(written: &[WrittenFeed], locations: &ConfigLocations) -> Result<Vec<DeclaredFeed>, ConfigError> {
    let mut feeds: Vec<DeclaredFeed> = Vec::with_capacity(written.len());
    for (index, feed) in written.iter().enumerate() {
        let key = format!("sequences.feeds[{index}]");
        let feed = parse(feed, &key, locations)?;
        let same = |other: &&DeclaredFeed| {
            other.sequence == feed.sequence && other.column == feed.column && other.shares_a_database(&feed)
        };
        let other = feeds.iter().position(|other| same(&other));
        // The same in another database is no contradiction, and needs no second entry.
        if let Some(other) =
            other.filter(|other| feeds[*other].database == feed.database || feeds[*other].allocator != feed.allocator)
        {
            return Err(locations.invalid(
                format!("{key}.column"),
                format!("{}, declared in sequences.feeds[{other}] too", display_or_hide(&feed.column_text())),
                "each sequence and column to be declared once",
            ));
        }
        feeds.push(feed);
    }
    Ok(feeds)
}

fn parse(feed: &WrittenFeed, key: &str, locations: &ConfigLocations) -> Result<DeclaredFeed, ConfigError> {
    let sequence: TableName = name(feed.sequence.as_deref(), key, "sequence", "schema.sequence", locations)?;
    let column: ColumnName = name(feed.column.as_deref(), key, "column", "schema.table.column", locations)?;
    let stars = |text: &Option<String>| text.as_deref().map_or(0, |text| text.matches('*').count());
    let pattern = match (stars(&feed.sequence), stars(&feed.column)) {
        (0, 0) => None,
        (1, 1) => feed.sequence.clone().zip(feed.column.clone()),
        (in_sequence, in_column) => {
            let (part, found) = if in_sequence == 1 { ("column", in_column) } else { ("sequence", in_sequence) };
            return Err(locations.invalid(
                format!("{key}.{part}"),
                format!("{found} * in it"),
                "one * in the sequence and one in the column, which stand for the same text, or none in either",
            ));
        }
    };
    let allocator = allocator(feed, key, locations)?;
    Ok(DeclaredFeed { sequence, column, pattern, database: feed.database.clone(), allocator })
}

fn allocator(feed: &WrittenFeed, key: &str, locations: &ConfigLocations) -> Result<Option<Allocator>, ConfigError> {
    let invalid =
        |part: &str, found: String, expected: &str| locations.invalid(format!("{key}.{part}"), found, expected);
    let Some(text) = &feed.allocator else {
        return match feed.block_size {
            Some(size) => Err(invalid("block_size", size.to_string(), "allocator = \"legacy_hilo\" beside it")),
            None => Ok(None),
        };
    };
    let Ok(allocator) = text.parse::<Allocator>() else {
        return Err(invalid("allocator", display_or_hide(text), &format!("one of {}", Allocator::NAMES.join(", "))));
    };
    match (allocator, feed.block_size) {
        (Allocator::LegacyHiLo { .. }, None) => Err(invalid(
            "allocator",
            "\"legacy_hilo\" without `block_size`".to_owned(),
            "`block_size`, the allocationSize of the entity (50 by default)",
        )),
        (Allocator::LegacyHiLo { .. }, Some(size)) => match u32::try_from(size) {
            Ok(block_size @ 1..) => Ok(Some(Allocator::LegacyHiLo { block_size })),
            _ => Err(invalid("block_size", size.to_string(), "a whole number from 1 to 4294967295")),
        },
        (_, Some(size)) => Err(invalid(
            "block_size",
            size.to_string(),
            "no block_size: the other allocators use the sequence's INCREMENT",
        )),
        (allocator, None) => Ok(Some(allocator)),
    }
}

fn name<N: FromStr<Err = NameError>>(
    written: Option<&str>,
    feed: &str,
    part: &str,
    form: &str,
    locations: &ConfigLocations,
) -> Result<N, ConfigError> {
    let Some(text) = written else {
        return Err(locations.invalid(feed, format!("no `{part}`"), format!("`{part}` as {form}")));
    };
    let mut buffer = [0; 4];
    text.replace('*', STAR.encode_utf8(&mut buffer)).parse().map_err(|problem| {
        let expected = format!("{form} in SQL spelling (the schema is never guessed; quote capitals and dots)");
        locations.invalid(format!("{feed}.{part}"), display_with_problem(text, &problem), expected)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(sequence: &str, column: &str) -> DeclaredFeed {
        let star = |text: &str| text.replace('*', &STAR.to_string());
        DeclaredFeed {
            pattern: Some((sequence.to_owned(), column.to_owned())),
            ..DeclaredFeed::new(star(sequence).parse().unwrap(), star(column).parse().unwrap())
        }
    }

    fn column_of(pattern: &DeclaredFeed, sequence: &str) -> Option<String> {
        pattern.column_of(&sequence.parse().unwrap()).map(|column| column.to_string())
    }

    #[test]
    fn the_star_stands_for_the_same_text_in_both() {
        let tenants = pattern("tenant_*.orders_seq", "tenant_*.orders.id");
        assert_eq!(column_of(&tenants, "tenant_7.orders_seq").as_deref(), Some("tenant_7.orders.id"));
        assert_eq!(column_of(&tenants, "tenant_7.other_seq"), None);
        assert_eq!(column_of(&tenants, "tenant_.orders_seq"), None, "at least one character");
        let tables = pattern("public.*_seq", "public.*.id");
        assert_eq!(column_of(&tables, "public.\"Order\"").as_deref(), None);
        assert_eq!(column_of(&tables, "public.\"Order_seq\"").as_deref(), Some("public.\"Order\".id"));
        let quoted = pattern("public.\"*_Id_seq\"", "public.\"*\".\"Id\"");
        assert_eq!(column_of(&quoted, "public.\"Order_Id_seq\"").as_deref(), Some("public.\"Order\".\"Id\""));
    }

    #[test]
    fn a_name_matches_itself_alone() {
        let one = DeclaredFeed::new("a.s".parse().unwrap(), "a.t.id".parse().unwrap());
        assert_eq!(column_of(&one, "a.s").as_deref(), Some("a.t.id"));
        assert_eq!(column_of(&one, "b.s"), None);
    }
}
