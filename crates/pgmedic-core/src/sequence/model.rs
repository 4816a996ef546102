//! A sequence, the columns that it feeds or may feed, and what limits it.

use super::allocator::Allocator;
pub use super::feed::{Feed, FeedProblem, FeedReport, FeedSource, FollowTrigger, Link, RareOfSource};
use super::position::{ColumnRange, Parameters};
use crate::name::stored_parts;
use crate::rare::{MostlyEmpty, Rare};
use crate::{Reason, ReasonKind};
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A sequence and the columns it feeds. There may be many thousands, so names are shared, and what few have is kept apart.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sequence {
    pub oid: u32,
    /// Schema-qualified, quoted by the server. Its report shares it.
    pub name: Arc<str>,
    pub parameters: Arc<Parameters>,
    /// Quoted.
    pub owner: Arc<str>,
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
    pub rare: Rare<RareOfSequence>,
}

/// What few sequences have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct RareOfSequence {
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

impl MostlyEmpty for RareOfSequence {
    fn empty() -> &'static Self {
        static EMPTY: RareOfSequence = RareOfSequence {
            uncounted: Vec::new(),
            computed: Vec::new(),
            limits: Vec::new(),
            notes: Vec::new(),
            untrusted_owners: BTreeSet::new(),
            problem: None,
        };
        &EMPTY
    }
}

impl Sequence {
    /// Schema and name as PostgreSQL stores them, for matching.
    pub fn name_parts(&self) -> (String, String) {
        stored_parts(&self.name)
    }

    /// The columns that can be read.
    pub fn sources(&self) -> impl Iterator<Item = &FeedSource> {
        self.feeds.iter().filter_map(|feed| feed.source.as_ref().ok())
    }

    /// The ids that every fed column, and what references it, can hold.
    pub fn usable_ids(&self) -> ColumnRange {
        let columns = self.sources().map(|source| source.range);
        columns.chain(self.rare.limits.iter().map(|limit| limit.range)).fold(ColumnRange::INT8, ColumnRange::narrowest)
    }

    /// Whether there is anything to read of it, missing privileges aside.
    pub fn is_observable(&self) -> bool {
        let unsupported = |feed: &Feed| matches!(feed.source, Err(FeedProblem::Unsupported(_)));
        !self.parameters.cycle && (self.feeds.is_empty() || !self.feeds.iter().all(unsupported))
    }

    /// Whether it feeds nothing, and nothing else is known of it.
    pub fn is_bare(&self) -> bool {
        self.feeds.is_empty()
            && self.rare.uncounted.is_empty()
            && self.rare.computed.is_empty()
            && self.rare.limits.is_empty()
            && self.rare.notes.is_empty()
            && self.rare.problem.is_none()
    }

    /// Whether statements can name it and what it feeds.
    pub fn has_readable_names(&self) -> bool {
        self.rare.problem.as_ref().is_none_or(|problem| problem.kind != ReasonKind::NameEncoding)
    }

    /// Gives back the room of lists that grew: a first entry takes room for four, and of tens of thousands that is much.
    pub fn shrink_to_fit(&mut self) {
        self.feeds.shrink_to_fit();
        if let Some(rare) = self.rare.parts_mut() {
            rare.uncounted.shrink_to_fit();
            rare.computed.shrink_to_fit();
            rare.limits.shrink_to_fit();
            rare.notes.shrink_to_fit();
        }
        self.rare.shrink_to_fit();
    }

    /// Every column that is looked at, whether it counts or not.
    pub fn all_feeds(&self) -> impl Iterator<Item = &Feed> {
        self.feeds.iter().chain(self.rare.uncounted.iter().map(|uncounted| &uncounted.feed))
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

/// Roles by OID: owners of a sequence, of what it feeds, of their partitions and children, and of their schemas, but for
/// superusers and the connected role.
pub type UntrustedOwners = BTreeSet<u32>;

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
