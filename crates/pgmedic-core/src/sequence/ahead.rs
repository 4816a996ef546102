//! What lies ahead of a sequence's next value: how it can be looked at, what was found, and the judgement of it. Pure.

use super::judgement::{self, Decision, Draws, Found, Ids, Memory, Repair, Settings, Terms, ValueNumber, Wishes};
use super::judgement::{BlockWalk, decide};
use super::model::{FeedSource, Keys, Sequence};
use super::observation::Observation;
use super::position::ForwardMove;

/// How the ids ahead of a sequence can be looked at.
#[derive(Debug, Clone, PartialEq)]
pub enum Scope {
    /// Of these of its sources an insert fails at a taken id, and an index finds the block.
    Walk(Vec<usize>),
    /// By the max id alone.
    MaxIdOnly(MaxIdOnly),
}

/// Why the max id alone is known.
#[derive(Debug, Clone, PartialEq)]
pub enum MaxIdOnly {
    /// No index of this table can find a block in this column.
    NoIndex { table: String, column: String },
    /// This table alone has too many indexes for one transaction, or is one of so many that ids cannot be looked for one by one.
    TooManyRelations { table: String },
    /// The column is a part of this primary key, and not alone unique.
    PartOfKey { column: String, key: String },
    /// Values may repeat in this column; the longer unique key that holds it, if any.
    NoUniqueKey { column: String, key: Option<String> },
}

impl Scope {
    /// `keys` are those of the sequence's sources, in their order.
    pub fn new(sequence: &Sequence, keys: &[Keys]) -> Self {
        let sources = with_keys(sequence, keys);
        let unique: Vec<_> = sources.iter().filter(|(_, _, keys)| keys.unique).collect();
        if unique.is_empty() {
            return Self::MaxIdOnly(Self::without_unique_key(&sources));
        }
        if let Some((_, source, _)) = unique.iter().find(|(_, _, keys)| !keys.indexed) {
            // A partition or child may be the one without an index.
            let table = source.rare.unindexed.as_deref().unwrap_or(source.table()).to_owned();
            let column = source.column().to_owned();
            return Self::MaxIdOnly(MaxIdOnly::NoIndex { table, column });
        }
        Self::Walk(unique.into_iter().map(|(index, _, _)| *index).collect())
    }

    /// Where none of the walked sources has an id ahead: why those of the others are not passed.
    pub fn beside_walk(sequence: &Sequence, keys: &[Keys]) -> Option<MaxIdOnly> {
        let sources = with_keys(sequence, keys);
        let others: Vec<_> = sources.into_iter().filter(|(_, _, keys)| !keys.unique).collect();
        (!others.is_empty()).then(|| Self::without_unique_key(&others))
    }

    fn without_unique_key(sources: &[(usize, &FeedSource, &Keys)]) -> MaxIdOnly {
        for (_, source, keys) in sources {
            if let (Some(key), true) = (&keys.longer_key, keys.in_primary_key) {
                return MaxIdOnly::PartOfKey { column: source.column_name(), key: key.clone() };
            }
        }
        let named = sources.iter().find(|(_, _, keys)| keys.longer_key.is_some()).or(sources.first());
        let (name, key) =
            named.map_or((String::new(), None), |(_, source, keys)| (source.column_name(), keys.longer_key.clone()));
        MaxIdOnly::NoUniqueKey { column: name, key }
    }
}

/// The sequence's sources by their place, each with its keys.
fn with_keys<'a>(sequence: &'a Sequence, keys: &'a [Keys]) -> Vec<(usize, &'a FeedSource, &'a Keys)> {
    sequence.sources().zip(keys).enumerate().map(|(index, (source, keys))| (index, source, keys)).collect()
}

impl MaxIdOnly {
    fn ids(&self) -> Ids {
        match self {
            Self::NoIndex { .. } | Self::TooManyRelations { .. } => Ids::NoIndex,
            Self::PartOfKey { .. } => Ids::PartOfKey,
            Self::NoUniqueKey { .. } => Ids::NoUniqueKey,
        }
    }
}

/// Everything that was seen of a sequence.
#[derive(Debug, Clone)]
pub struct Looked {
    pub seen: Observation,
    pub ids: Ids,
    /// Why the max id alone was looked at, if so.
    pub max_id_only: Option<MaxIdOnly>,
    /// How many own ids lie at or beyond the next value, where they were counted.
    pub far_count: Option<u64>,
    /// The walk was interrupted: a repair past what was found so far comes first.
    pub unfinished: bool,
}

impl Looked {
    /// No own id lies at or beyond the next value.
    pub fn nothing_ahead(seen: Observation) -> Self {
        Self { seen, ids: Ids::NoneAhead, max_id_only: None, far_count: None, unfinished: false }
    }

    /// Only the max id tells what is ahead.
    pub fn by_max_id(seen: Observation, why: MaxIdOnly) -> Self {
        Self { ids: why.ids(), max_id_only: Some(why), ..Self::nothing_ahead(seen) }
    }

    /// A walk ended.
    pub fn walked(seen: Observation, found: Found) -> Self {
        Self { ids: Ids::Walked(found), ..Self::nothing_ahead(seen) }
    }

    /// The first taken value at or beyond the next one, where it is known.
    pub fn nearest(&self) -> Option<ValueNumber> {
        match self.ids {
            Ids::Walked(
                Found::NotWalked { nearest }
                | Found::Block { nearest, .. }
                | Found::Cut { nearest, .. }
                | Found::Full { nearest, .. },
            ) => Some(nearest),
            _ => None,
        }
    }

    /// The last value of the block that the sequence would run into, as far as it was looked at.
    pub fn block_end(&self) -> Option<ValueNumber> {
        match self.ids {
            Ids::Walked(Found::Block { end, .. }) => Some(end),
            Ids::Walked(Found::Cut { dense_end, .. }) => Some(dense_end),
            Ids::Walked(Found::Full { nearest, solid_end }) => Some(solid_end.unwrap_or(nearest)),
            Ids::Walked(Found::NotWalked { nearest }) => Some(nearest),
            Ids::Walked(Found::Nothing { .. }) | Ids::NoneAhead => None,
            Ids::NoIndex | Ids::PartOfKey | Ids::NoUniqueKey => self.max_number(),
        }
    }

    /// The number of the furthest own id, where one lies at or beyond the next value.
    pub fn max_number(&self) -> Option<ValueNumber> {
        let position = &self.seen.position;
        let number = position.numbering().number(i128::from(self.seen.max_id?))?;
        (number >= position.next_number()).then_some(number)
    }

    /// Whether the column is only a part of a longer key, so that an insert may fail at a taken id.
    pub fn is_part_of_key(&self) -> bool {
        matches!(self.max_id_only, Some(MaxIdOnly::PartOfKey { .. }))
    }

    /// The furthest own id that was seen: of a block the id itself, of a residue class the furthest one that the walk met.
    pub fn max_id(&self) -> Option<i64> {
        if self.seen.by_block {
            return self.seen.furthest_id;
        }
        let id = |number| i64::try_from(self.seen.position.numbering().id(number)).ok();
        self.furthest_number().and_then(id).or(self.seen.max_id)
    }

    /// The same by its number, where it lies at or beyond the next value.
    fn furthest_number(&self) -> Option<ValueNumber> {
        let walked = if self.seen.hidden { self.block_end() } else { None };
        self.max_number().max(walked)
    }
}

/// What a judgement goes by besides what was seen.
#[derive(Debug, Clone, Copy)]
pub struct Basis {
    pub settings: Settings,
    pub memory: Memory,
    pub wishes: Wishes,
    /// The furthest next value that memory knows, as an id.
    pub known_next: Option<i64>,
}

impl Basis {
    pub fn terms(&self, seen: &Observation) -> Terms {
        Terms::new(seen.position.limit_number(), &self.settings, &self.memory)
    }

    /// A walk for what was seen.
    pub fn walk(&self, seen: &Observation, draws: Draws) -> BlockWalk {
        let position = &seen.position;
        let walk = BlockWalk::new(position.next_number(), position.limit_number(), self.terms(seen), draws);
        if seen.is_gapless() { walk } else { walk.one_by_one() }
    }

    /// Judges what was seen.
    pub fn judge(&self, looked: &Looked) -> Judged {
        let position = &looked.seen.position;
        let numbering = position.numbering();
        let terms = self.terms(&looked.seen);
        let before = || looked.seen.max_id.and_then(|id| numbering.number(id.into()));
        let observation = judgement::Observation {
            next: position.next_number(),
            limit: position.limit_number(),
            max_id: looked.furthest_number().or_else(before),
            ids: looked.ids,
            far_count: looked.far_count,
            known_next: self.known_next.and_then(|id| numbering.number(id.into())),
        };
        Judged { decision: decide(&observation, &terms, &self.wishes), terms }
    }
}

/// A judgement, and what it went by.
#[derive(Debug, Clone, Copy)]
pub struct Judged {
    pub decision: Decision,
    pub terms: Terms,
}

impl Judged {
    /// The repair to make, if any.
    pub fn repair(&self) -> Option<Repair> {
        match self.decision {
            Decision::Repair { repair, .. } => Some(repair),
            _ => None,
        }
    }

    /// The move of a repair, with up to `headroom` values beyond.
    pub fn step(&self, seen: &Observation, headroom: u32) -> Option<ForwardMove> {
        self.repair().and_then(|repair| seen.position.move_past(repair.past, headroom))
    }
}
