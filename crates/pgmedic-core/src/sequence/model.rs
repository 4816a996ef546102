//! A sequence, the columns it feeds, and where their ids are read.

use super::allocator::Allocator;
use super::position::{ColumnRange, Parameters};
use crate::{Reason, ReasonKind};
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// A sequence and the columns it feeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sequence {
    pub oid: u32,
    /// Schema and name as PostgreSQL stores them, for matching.
    pub name_parts: (String, String),
    /// Schema-qualified, quoted by the server.
    pub name: String,
    pub parameters: Parameters,
    /// Quoted.
    pub owner: String,
    /// Membership in the owner would be the rights of a superuser.
    pub owner_is_superuser: bool,
    /// The role may `ALTER` it: it owns it, or is a member of its owner.
    pub may_alter: bool,
    /// The role is a member of its owner that does not inherit the privileges: true where the membership says so, as from
    /// version 16 on, and false where the role does.
    pub not_inherited: Option<bool>,
    /// The role may call `nextval`.
    pub may_advance: bool,
    /// The role may call `setval`.
    pub may_set: bool,
    pub feeds: Vec<Feed>,
    /// Columns that it may feed too: they are looked at, and never acted on.
    pub uncounted: Vec<UncountedFeed>,
    /// Columns whose ids do not compare with it, because they are computed from its values: of its next values it is looked
    /// whether their ids are taken.
    pub computed: Vec<ComputedColumn>,
    /// Where ids of the fed columns must fit besides.
    pub limits: Vec<Limit>,
    /// Why links that were seen do not count.
    pub notes: Vec<Reason>,
    /// Roles that could change what a read of it does.
    pub untrusted_owners: UntrustedOwners,
    /// Why its state cannot be read.
    pub problem: Option<Reason>,
}

impl Sequence {
    /// The columns that can be read.
    pub fn sources(&self) -> impl Iterator<Item = &FeedSource> {
        self.feeds.iter().filter_map(|feed| feed.source.as_ref().ok())
    }

    /// The ids that every fed column, and what references it, can hold.
    pub fn usable_ids(&self) -> ColumnRange {
        let columns = self.sources().map(|source| source.range);
        columns.chain(self.limits.iter().map(|limit| limit.range)).fold(ColumnRange::INT8, ColumnRange::narrowest)
    }

    /// Whether there is anything to read of it, missing privileges aside.
    pub fn is_observable(&self) -> bool {
        let unsupported = |feed: &Feed| matches!(feed.source, Err(FeedProblem::Unsupported(_)));
        !self.parameters.cycle && (self.feeds.is_empty() || !self.feeds.iter().all(unsupported))
    }

    /// Whether it feeds nothing, and nothing else is known of it.
    pub fn is_bare(&self) -> bool {
        self.feeds.is_empty()
            && self.uncounted.is_empty()
            && self.computed.is_empty()
            && self.limits.is_empty()
            && self.notes.is_empty()
            && self.problem.is_none()
    }

    /// Whether statements can name it and what it feeds.
    pub fn has_readable_names(&self) -> bool {
        self.problem.as_ref().is_none_or(|problem| problem.kind != ReasonKind::NameEncoding)
    }

    /// Gives back the room of lists that grew: a first entry takes room for four, and of tens of thousands that is much.
    pub fn shrink_to_fit(&mut self) {
        self.feeds.shrink_to_fit();
        self.uncounted.shrink_to_fit();
        self.computed.shrink_to_fit();
        self.limits.shrink_to_fit();
        self.notes.shrink_to_fit();
    }

    /// Every column that is looked at, whether it counts or not.
    pub fn all_feeds(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().chain(self.uncounted.iter().map(|uncounted| &uncounted.feed))
    }
}

/// The indexes of a fed column, as far as they decide what a taken id does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Keys {
    /// A unique index makes an insert fail: of the column alone, or alone but for the partition key.
    pub unique: bool,
    /// The column is a part of a longer primary key.
    pub in_primary_key: bool,
    /// The longer unique key that holds it, the primary one first, such as `invoices_year_number_key (year, number)`.
    pub longer_key: Option<String>,
    /// A valid, unfiltered B-tree begins with the column, on each partition and child.
    pub indexed: bool,
}

/// Ids beyond it cannot be used, for another reason than the bounds of the sequence and the types of the columns it feeds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Limit {
    pub range: ColumnRange,
    pub by: LimitedBy,
}

/// What sets a limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum LimitedBy {
    /// A column that is not looked at: a foreign key column that references a fed column, or one that references it in turn;
    /// and on a login, a fed column that is not alone in a unique key.
    Column {
        /// Schema-qualified, quoted by the server.
        table: String,
        /// Quoted by the server.
        column: String,
        /// As for a fed column.
        widen_obstacle: Option<Box<str>>,
    },
    /// The configuration states that ids beyond are not the sequence's.
    StatedMaxId,
}

/// A column that counts as fed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Feed {
    pub report: FeedReport,
    pub source: Result<FeedSource, FeedProblem>,
}

impl Feed {
    /// Where its ids would be read, whether the role may read them or not.
    pub fn known_source(&self) -> Option<&FeedSource> {
        match &self.source {
            Ok(source) => Some(source),
            Err(FeedProblem::Refused { source, .. }) => Some(source),
            Err(FeedProblem::Unsupported(_) | FeedProblem::Unreadable(_)) => None,
        }
    }
}

/// A column that a sequence may feed, which does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UncountedFeed {
    pub feed: Feed,
    pub why: Uncounted,
}

/// Why a column does not count.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Uncounted {
    /// Its default draws from the sequence, and its table belongs to this role (quoted), which could not move the sequence
    /// otherwise.
    Untrusted { owner: String },
    /// Declared, without the allocator that it needs.
    Unstated,
    /// It owns the sequence, and its default calls a function that may draw from it.
    Owner,
    /// A likely link, which the configuration may declare.
    Suggested(Suggestion),
}

/// A column whose ids PostgreSQL makes from the sequence's values, by a cast or an expression.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ComputedColumn {
    /// Where its ids are read. Its range says nothing.
    pub source: FeedSource,
    /// The type that an id is cast to before it is compared.
    pub type_name: String,
    /// The stored form of the default that makes the ids; none where it is the value itself, cast to the type.
    pub default: Option<String>,
}

/// A likely link.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Suggestion {
    /// What it is likely by, after "by".
    pub evidence: String,
    /// The `[[sequences.feeds]]` table that declares it.
    pub toml: String,
    pub allocator: Allocator,
}

/// Where a fed column's ids are read.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FeedSource {
    pub table_oid: u32,
    /// Schema-qualified, quoted by the server.
    pub table: String,
    /// Quoted by the server.
    pub column: String,
    pub range: ColumnRange,
    /// Stored as `numeric`: may hold fractions and values beyond int8.
    pub numeric: bool,
    /// Relations that reading it locks: the table, its partitions and children, and all their indexes.
    pub relations: u64,
    pub has_children: bool,
    /// Another number: the rows may be others, though no change of a row was counted.
    pub file_fingerprint: i64,
    /// The table, or the largest of its partitions and children, that has no index to use; quoted by the server.
    pub unindexed: Option<String>,
    /// To be read in a separate transaction: it has no usable index and is too large to read quickly, or planning runs
    /// functions of its owner, which could change what the statements after them do.
    pub alone: bool,
    /// Why its type cannot be changed in place, such as `it is a partition key`; none where it can.
    pub widen_obstacle: Option<Box<str>>,
    /// The role may lock the table, for which the privilege on its column is not enough.
    pub may_lock: bool,
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

impl FeedSource {
    /// Which ids one value stands for.
    pub fn allocator(&self) -> Allocator {
        self.stated_allocator.unwrap_or_default()
    }

    /// Schema, table and column, quoted by the server.
    pub fn column_name(&self) -> String {
        format!("{}.{}", self.table, self.column)
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

/// Roles by OID: owners of a sequence, of what it feeds, of their partitions and children, and of their schemas, but for
/// superusers and the connected role.
pub type UntrustedOwners = BTreeSet<u32>;

/// A column whose new values come from the sequence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct FeedReport {
    /// `schema.table.column`, quoted where SQL would quote it.
    pub column: String,
    pub link: Link,
    /// The trigger of `pgmedic sql follow`, if there is one: it takes the sequence along when an id is inserted that is ahead
    /// of it. The report says only that it is there.
    #[serde(serialize_with = "is_there")]
    pub followed: Option<FollowTrigger>,
}

/// How the trigger of `pgmedic sql follow` was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FollowTrigger {
    /// The furthest id that it takes the sequence to, where one was given.
    pub max_id: Option<i64>,
    /// It fires for rows that logical replication brings, too.
    pub always: bool,
}

fn is_there<S: Serializer>(trigger: &Option<FollowTrigger>, serializer: S) -> Result<S::Ok, S::Error> {
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Hand the unusable values out with `nextval`.
    Advance,
    /// Move the sequence under its own lock.
    Leap,
}

impl Method {
    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Advance => "advance",
            Self::Leap => "leap",
        }
    }
}
