//! A column that a sequence feeds, and where its ids are read.

use super::allocator::Allocator;
use super::position::ColumnRange;
use super::quoted_column::QuotedColumn;
use crate::Reason;
use crate::rare::{MostlyEmpty, Rare};
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// A column that counts as fed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Feed {
    pub report: FeedReport,
    pub source: Result<FeedSource, FeedProblem>,
}

impl Feed {
    /// Takes the same text from `column`, so that it is kept once.
    pub fn share_name(&mut self, column: &Arc<str>) {
        if self.report.column == *column {
            self.report.column = Arc::clone(column);
        }
        if let Ok(source) = &mut self.source {
            source.name.share(column);
        }
    }

    /// Where its ids would be read, whether the role may read them or not.
    pub fn known_source(&self) -> Option<&FeedSource> {
        match &self.source {
            Ok(source) => Some(source),
            Err(FeedProblem::Refused { source, .. }) => Some(source),
            Err(FeedProblem::Unsupported(_) | FeedProblem::Unreadable(_)) => None,
        }
    }
}

/// Where a fed column's ids are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeedSource {
    pub table_oid: u32,
    /// The feed's report shares it.
    pub name: QuotedColumn,
    pub range: ColumnRange,
    /// Stored as `numeric`: may hold fractions and values beyond int8.
    pub numeric: bool,
    /// Relations that reading it locks: the table, its partitions and children, and all their indexes.
    pub relations: u64,
    pub has_children: bool,
    /// Another number: the rows may be others, though no change of a row was counted.
    pub file_fingerprint: i64,
    /// To be read in a separate transaction: it has no usable index and is too large to read quickly, or planning runs
    /// functions of its owner, which could change what the statements after them do.
    pub alone: bool,
    /// The role may lock the table, for which the privilege on its column is not enough.
    pub may_lock: bool,
    pub rare: Rare<RareOfSource>,
}

/// What few sources have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RareOfSource {
    /// The table, or the largest of its partitions and children, that has no index to use; quoted by the server.
    pub unindexed: Option<String>,
    /// Why its type cannot be changed in place, such as `it is a partition key`; none where it can.
    pub widen_obstacle: Option<Box<str>>,
    /// Which ids an application makes from one value, where the configuration says so. Where it takes blocks, `range` is that
    /// of the values whose blocks fit.
    pub stated_allocator: Option<Allocator>,
    /// Why a part of it is not seen, though the rest is read.
    pub hidden: Option<Box<Reason>>,
    /// Set where its partitions and children are read one by one: without foreign tables, and without these, by OID, whose
    /// values another sequence hands out.
    pub by_member: Option<Vec<u32>>,
    /// Other sequences that hand out values for some of its partitions, by OID.
    pub partners: Vec<u32>,
}

impl MostlyEmpty for RareOfSource {
    fn empty() -> &'static Self {
        static EMPTY: RareOfSource = RareOfSource {
            unindexed: None,
            widen_obstacle: None,
            stated_allocator: None,
            hidden: None,
            by_member: None,
            partners: Vec::new(),
        };
        &EMPTY
    }
}

impl FeedSource {
    /// Which ids one value stands for.
    pub fn allocator(&self) -> Allocator {
        self.rare.stated_allocator.unwrap_or_default()
    }

    /// The table, schema-qualified and quoted by the server.
    pub fn table(&self) -> &str {
        self.name.table()
    }

    /// The column, quoted by the server.
    pub fn column(&self) -> &str {
        self.name.column()
    }

    /// Schema, table and column, quoted by the server.
    pub fn column_name(&self) -> String {
        self.name.whole().to_string()
    }
}

/// Why a feed cannot be looked at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FeedProblem {
    /// Its ids cannot be compared with the sequence, by the column's nature.
    Unsupported(Reason),
    /// It cannot be read until the reason is removed.
    Unreadable(Reason),
    /// A privilege is missing on `source`, where the ids would be read.
    Refused { source: Box<FeedSource>, reason: Reason },
}

/// A column whose new values come from the sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct FeedReport {
    /// `schema.table.column`, quoted where SQL would quote it.
    pub column: Arc<str>,
    pub link: Link,
    /// The trigger of `pgmedic sql follow`, if there is one: it takes the sequence along when an id is inserted that is ahead
    /// of it. The report says only that it is there.
    #[serde(serialize_with = "is_there")]
    pub followed: Option<Box<FollowTrigger>>,
}

/// How the trigger of `pgmedic sql follow` was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FollowTrigger {
    /// The furthest id that it takes the sequence to, where one was given.
    pub max_id: Option<i64>,
    /// It fires for rows that logical replication brings, too.
    pub always: bool,
}

fn is_there<S: Serializer>(trigger: &Option<Box<FollowTrigger>>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(trigger.is_some())
}

/// How it is known that a sequence feeds a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// Owned by the column (`pg_depend` 'a').
    Serial,
    /// The column's identity sequence (`pg_depend` 'i').
    Identity,
    /// The column's default is `nextval` of a sequence it does not own.
    Default,
    /// Stated in the configuration.
    Declared,
}
