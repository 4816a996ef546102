//! The declared feeds of one database: patterns become the sequences and columns that they match. Pure.

use super::feed_toml::feed_toml;
use crate::config::DeclaredFeed;
use pgmedic_core::sequence::link_rules::Stated;
use pgmedic_core::sequence::model::Suggestion;
use pgmedic_core::{ColumnName, TableName};
use std::collections::BTreeMap;

/// A link that the configuration declares, or a likely one.
#[derive(Debug, Clone, PartialEq)]
pub struct StatedLink {
    pub sequence: TableName,
    pub column: ColumnName,
    pub stated: Stated,
}

impl StatedLink {
    pub fn suggested(sequence: TableName, column: ColumnName, suggestion: Suggestion) -> Self {
        Self { sequence, column, stated: Stated::Suggested(suggestion) }
    }
}

/// What the feeds declare for these sequences, each link once. A feed that names its sequence and column comes before
/// patterns that match them too. Where patterns state different allocators for one link, none of them counts: the link then
/// has to be declared by its names.
pub fn expand(feeds: &[&DeclaredFeed], sequences: &[TableName]) -> Vec<StatedLink> {
    let mut links: BTreeMap<(TableName, ColumnName), StatedLink> = BTreeMap::new();
    let by_name = feeds.iter().filter_map(|feed| Some((*feed, feed.names()?)));
    for (feed, (sequence, column)) in by_name {
        links.insert((sequence.clone(), column.clone()), link(feed, sequence, column));
    }
    for feed in feeds.iter().filter(|feed| feed.names().is_none()) {
        for sequence in sequences {
            let Some(column) = feed.column_of(sequence) else { continue };
            let new = link(feed, sequence, &column);
            let known = links.entry((sequence.clone(), column)).or_insert_with(|| new.clone());
            known.stated = merge(&known.stated, &new.stated);
        }
    }
    links.into_values().collect()
}

fn link(feed: &DeclaredFeed, sequence: &TableName, column: &ColumnName) -> StatedLink {
    let is_pattern = feed.names().is_none();
    let toml = feed_toml(sequence, column, feed.database.as_deref()).unwrap_or_default();
    let stated = Stated::Declared { allocator: feed.allocator, is_pattern, contradicts: None, toml };
    StatedLink { sequence: sequence.clone(), column: column.clone(), stated }
}

/// What two entries for one link state together.
fn merge(known: &Stated, new: &Stated) -> Stated {
    let mut merged = known.clone();
    if let (
        Stated::Declared { allocator, is_pattern: true, contradicts, .. },
        Stated::Declared { allocator: other, is_pattern: true, .. },
    ) = (&mut merged, new)
        && allocator != other
    {
        let name = |allocator: Option<_>| allocator.map_or("none".to_owned(), |allocator| format!("{allocator}"));
        *contradicts = Some(format!("{} and {}", name(*allocator), name(*other)));
    }
    merged
}
