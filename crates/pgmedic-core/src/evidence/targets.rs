//! Which of the sequences that drifted an act concerns.

use super::StatementKind;
use super::act::{Act, NameRef, Written};
use std::collections::HashMap;

/// A sequence that drifted, and the tables whose ids it goes by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetSequence {
    /// As stored, without quotes.
    pub schema: String,
    pub name: String,
    /// No other sequence has this name, in any schema.
    pub only_one: bool,
    pub tables: Vec<TargetTable>,
}

/// A table with a column that the sequence feeds, or one above or below it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TargetTable {
    pub schema: String,
    pub name: String,
    /// No other relation has this name, in any schema.
    pub only_one: bool,
    pub column: String,
    /// The place of the column in the table, from 1.
    pub place: usize,
    /// Each row of it is one of the fed column.
    pub certain: bool,
}

/// That an act concerns a sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concern {
    /// Its place in the list that the index was made of.
    pub sequence: usize,
    pub kind: StatementKind,
    /// The text names what it acts on, and no other relation can be meant.
    pub certain: bool,
}

/// Finds the sequences that an act concerns.
#[derive(Debug)]
pub struct TargetIndex<'a> {
    targets: &'a [TargetSequence],
    sequences: HashMap<&'a str, Vec<usize>>,
    tables: HashMap<&'a str, Vec<(usize, &'a TargetTable)>>,
}

impl<'a> TargetIndex<'a> {
    pub fn new(targets: &'a [TargetSequence]) -> Self {
        let (mut sequences, mut tables) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        for (index, target) in targets.iter().enumerate() {
            sequences.entry(target.name.as_str()).or_default().push(index);
            for table in &target.tables {
                tables.entry(table.name.as_str()).or_default().push((index, table));
            }
        }
        Self { targets, sequences, tables }
    }

    /// The sequences that `act` concerns, or may concern.
    pub fn concerned(&self, act: &Act) -> Vec<Concern> {
        match act {
            Act::Write { kind, table, written } => self.by_table(table, *kind, |table| written.has(table)),
            Act::Setval(name) => self.by_name(name, StatementKind::Setval),
            Act::RestartSequence(name) => self.by_name(name, StatementKind::AlterSequence),
            Act::SetvalOfColumn { table, column } => {
                self.by_table(table, StatementKind::Setval, |table| table.column == *column)
            }
            Act::RestartColumn { table, column } => {
                self.by_table(table, StatementKind::AlterSequence, |table| table.column == *column)
            }
            Act::SetvalOfUnknown => self.all(StatementKind::Setval),
            Act::Truncate { tables, cascade } => {
                let named =
                    tables.iter().flat_map(|table| self.by_table(table, StatementKind::TruncateRestart, |_| true));
                let named: Vec<Concern> = named.collect();
                // What references them is truncated too.
                if named.is_empty() && *cascade { self.all(StatementKind::TruncateRestart) } else { named }
            }
        }
    }

    fn all(&self, kind: StatementKind) -> Vec<Concern> {
        (0..self.targets.len()).map(|sequence| Concern { sequence, kind, certain: false }).collect()
    }

    fn by_name(&self, name: &NameRef, kind: StatementKind) -> Vec<Concern> {
        let same = self.sequences.get(name.name.as_str()).into_iter().flatten();
        same.filter_map(|&sequence| {
            let TargetSequence { schema, only_one, .. } = &self.targets[sequence];
            Some(Concern { sequence, kind, certain: name.certainty(schema, *only_one)? })
        })
        .collect()
    }

    fn by_table(&self, name: &NameRef, kind: StatementKind, takes: impl Fn(&TargetTable) -> bool) -> Vec<Concern> {
        let same = self.tables.get(name.name.as_str()).into_iter().flatten();
        same.filter(|(_, table)| takes(table))
            .filter_map(|&(sequence, table)| {
                let certain = name.certainty(&table.schema, table.only_one)? && table.certain;
                Some(Concern { sequence, kind, certain })
            })
            .collect()
    }
}

impl NameRef {
    /// None where another relation is meant; else whether this one is meant for certain.
    fn certainty(&self, schema: &str, only_one: bool) -> Option<bool> {
        match &self.schema {
            Some(named) => (named == schema).then_some(true),
            None => Some(only_one),
        }
    }
}

impl Written {
    fn has(&self, table: &TargetTable) -> bool {
        match self {
            Self::All => true,
            Self::Columns(columns) => columns.contains(&table.column),
            Self::Places(places) => places.contains(&table.place),
        }
    }
}
