//! What is not to be believed of the pass before, because somebody said that it has changed.

use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::{ColumnName, RelationRef, TableName};
use std::collections::{BTreeSet, HashSet};

/// More names than this are told by somebody who changed everything.
const MOST_NAMES: usize = 32;

/// What somebody said has changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invalidation {
    /// Sequences, or tables that they feed, as they were mentioned.
    Named(BTreeSet<String>),
    /// Anything at all.
    All,
}

/// Nothing is doubted.
impl Default for Invalidation {
    fn default() -> Self {
        Self::Named(BTreeSet::new())
    }
}

/// The sequences that are doubted, by OID.
pub(super) enum InvalidatedSequences {
    These(HashSet<u32>),
    All,
}

impl Invalidation {
    /// Takes in what somebody said. It may be any text; what is no name doubts everything.
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

    /// Whether there is nothing that is doubted.
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Named(names) if names.is_empty())
    }

    /// Which of the known `sequences` are doubted: all, where a name is of none of them, as it may be new.
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

/// What a mention of this sequence may name: itself, and the tables that it feeds.
fn relations(sequence: &Sequence) -> impl Iterator<Item = (u32, TableName)> {
    let (schema, name) = sequence.name_parts.clone();
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
    fn names_are_collected_and_whatever_is_none_doubts_everything() {
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
