//! Which findings of the previous pass a NOTIFY invalidates.

use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{ColumnName, RelationRef, TableName};
use std::collections::{BTreeSet, HashSet};

/// More names than this invalidate everything.
const MOST_NAMES: usize = 32;

/// What the next pass must read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    /// Sequences, or tables that they feed, as the payloads name them.
    Named(BTreeSet<String>),
    /// Everything.
    All,
}

/// Nothing is invalidated.
impl Default for Invalidation {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// The invalidated sequences, by OID.
pub(super) enum InvalidatedSequences {
    These(HashSet<u32>),
    All,
}

impl Invalidation {
    /// Adds the payload of a NOTIFY. A payload that is no name invalidates everything.
    pub fn add(&mut self, said: &str) {
        let said = said.trim();
        match self {
            Self::All => {}
            Self::Named(names) if names.contains(said) => {}
            Self::Named(names) if names.len() < MOST_NAMES && said.parse::<RelationRef>().is_ok() => {
                names.insert(said.to_owned());
            }
            Self::Named(_) => *self = Self::All,
        }
    }

    /// Whether nothing is invalidated.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    /// Which of the known `sequences` are invalidated: all, where a name matches none of them, as it may be new.
    pub(super) fn resolve(&self, sequences: &[Sequence]) -> InvalidatedSequences {
        let Self::Named(names) = self else { return InvalidatedSequences::All };
        let relations: Vec<(u32, TableName)> = sequences.iter().flat_map(relations).collect();
        let mut oids = HashSet::new();
        for name in names {
            let Ok(mention) = name.parse::<RelationRef>() else { return InvalidatedSequences::All };
            let meant = relations.iter().filter(|(_, relation)| mention.matches(&relation.schema, &relation.name));
            let meant: Vec<u32> = meant.map(|(oid, _)| *oid).collect();
            if meant.is_empty() {
                return InvalidatedSequences::All;
            }
            oids.extend(meant);
        }
        InvalidatedSequences::These(oids)
    }
}

/// Whether a name means this sequence or a table that it feeds.
fn relations(sequence: &Sequence) -> impl Iterator<Item = (u32, TableName)> {
    let (schema, name) = sequence.name_parts();
    let columns = sequence.feeds.iter().filter_map(|feed| feed.report.column.parse::<ColumnName>().ok());
    let tables = columns.map(|column| column.table);
    std::iter::once(TableName { schema, name }).chain(tables).map(|relation| (sequence.oid, relation))
}

#[cfg(test)]
#[path = "invalidation_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_collected_and_any_other_text_invalidates_everything() {
        let mut doubt = Invalidation::default();
        assert!(doubt.is_empty());
        doubt.add("public.orders");
        doubt.add(" orders_id_seq ");
        assert_eq!(doubt, Invalidation::Named(["orders_id_seq", "public.orders"].map(str::to_owned).into()));
        doubt.add("");
        assert_eq!(doubt, Invalidation::All);
        doubt.add("public.orders");
        assert_eq!(doubt, Invalidation::All);
    }

    #[test]
    fn very_many_names_doubt_everything() {
        let mut doubt = Invalidation::default();
        (0..=MOST_NAMES).for_each(|number| doubt.add(&format!("table_{number}")));
        assert_eq!(doubt, Invalidation::All);
    }
}
