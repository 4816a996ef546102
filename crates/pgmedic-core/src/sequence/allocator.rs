//! Block allocators: applications that turn one value of a sequence into several ids. Pure.
//!
//! | allocator | ids of value `v` | written by |
//! |---|---|---|
//! | `residue` | `v` | multi-master schemes: each node has another residue class |
//! | `pooled` | `v - INCREMENT + 1` to `v` | Hibernate's pooled optimizer |
//! | `pooled_lo`, `hilo` | `v` to `v + INCREMENT - 1` | Hibernate's pooled-lo optimizer, EF Core's HiLo |
//! | `legacy_hilo` | `v * block_size` to `v * block_size + block_size - 1` | Hibernate's generators before version 5 |
//!
//! Sources: `PooledOptimizer.java`, `PooledLoOptimizer.java` and `LegacyHiLoAlgorithmOptimizer.java` of Hibernate,
//! `HiLoValueGenerator.cs` of EF Core.
//!
//! [`Blocks`] maps ids to values and back, so that everything else judges a sequence by its values alone. In the
//! sequence's direction the mapping never falls: the furthest id belongs to the furthest value whose block holds an id.

use super::position::ColumnRange;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// Which ids an application makes from one value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Allocator {
    /// The value itself.
    #[default]
    Residue,
    /// The value and the `INCREMENT - 1` ids before it.
    Pooled,
    /// The value and the `INCREMENT - 1` ids after it.
    PooledLo,
    /// As `PooledLo`.
    HiLo,
    /// `block_size` ids from the value times `block_size` on.
    LegacyHiLo {
        /// At least 1.
        block_size: u32,
    },
}

impl Allocator {
    /// The names of all allocators, as the configuration has them.
    pub const NAMES: [&'static str; 5] = ["pooled", "pooled_lo", "hilo", "legacy_hilo", "residue"];

    /// Whether a value stands for other ids than itself.
    #[must_use]
    pub fn takes_blocks(self) -> bool {
        self != Self::Residue
    }
}

impl fmt::Display for Allocator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Residue => "residue",
            Self::Pooled => "pooled",
            Self::PooledLo => "pooled_lo",
            Self::HiLo => "hilo",
            Self::LegacyHiLo { .. } => "legacy_hilo",
        })
    }
}

/// A name that is none of [`Allocator::NAMES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownAllocator;

/// The allocator of this name; `legacy_hilo` with a block size of 1.
impl FromStr for Allocator {
    type Err = UnknownAllocator;

    fn from_str(name: &str) -> Result<Self, UnknownAllocator> {
        Ok(match name {
            "residue" => Self::Residue,
            "pooled" => Self::Pooled,
            "pooled_lo" => Self::PooledLo,
            "hilo" => Self::HiLo,
            "legacy_hilo" => Self::LegacyHiLo { block_size: 1 },
            _ => return Err(UnknownAllocator),
        })
    }
}

/// The blocks of one sequence: which ids its values stand for, and which value an id belongs to.
///
/// ```
/// use pgmedic_core::sequence::allocator::{Allocator, Blocks};
///
/// // INCREMENT BY 50, the values are 1, 51, 101, …
/// let pooled = Blocks::new(Allocator::Pooled, 50, 1);
/// assert_eq!(pooled.ids(101), 52..=101);
/// assert_eq!(pooled.value(60), 101, "Hibernate makes id 60 from value 101");
/// assert_eq!(Blocks::new(Allocator::HiLo, 50, 1).value(60), 51);
/// assert_eq!(Blocks::new(Allocator::LegacyHiLo { block_size: 50 }, 1, 1).ids(3), 150..=199);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks {
    allocator: Allocator,
    increment: i128,
    own: i128,
}

impl Blocks {
    /// `increment` is never 0; `own` is any value that the sequence could produce, such as its next one.
    #[must_use]
    pub fn new(allocator: Allocator, increment: i64, own: i128) -> Self {
        Self { allocator, increment: i128::from(increment), own }
    }

    /// The ids of `value`, from the lowest to the highest.
    #[must_use]
    pub fn ids(&self, value: i128) -> RangeInclusive<i128> {
        let others = self.increment - self.increment.signum();
        let (first, last) = match self.allocator {
            Allocator::Residue => (value, value),
            Allocator::Pooled => (value - others, value),
            Allocator::PooledLo | Allocator::HiLo => (value, value + others),
            Allocator::LegacyHiLo { block_size } => {
                let size = i128::from(block_size.max(1));
                (value * size, value * size + size - 1)
            }
        };
        first.min(last)..=first.max(last)
    }

    /// The value that `id` belongs to. Where no own value's block holds it (another residue class), the furthest own value
    /// whose block lies before it.
    #[must_use]
    pub fn value(&self, id: i128) -> i128 {
        match self.allocator {
            Allocator::Residue | Allocator::PooledLo | Allocator::HiLo => self.at_or_before(id),
            Allocator::Pooled => self.at_or_before(id + self.increment - self.increment.signum()),
            Allocator::LegacyHiLo { block_size } => self.at_or_before(id.div_euclid(i128::from(block_size.max(1)))),
        }
    }

    /// Whether some own value stands for `id`.
    #[must_use]
    pub fn holds(&self, id: i128) -> bool {
        self.ids(self.value(id)).contains(&id)
    }

    /// The lowest and the highest id of the value that an SQL expression of type bigint has; none where it is the value itself.
    #[must_use]
    pub fn ids_sql(&self, value: &str) -> Option<(String, String)> {
        if let Allocator::LegacyHiLo { block_size } = self.allocator {
            let size = block_size.max(1);
            return Some((format!("({value} * {size}::int8)"), format!("({value} * {size}::int8 + {})", size - 1)));
        }
        let block = self.ids(0);
        let beside = |distance: &i128| format!("({value} + '{distance}'::int8)");
        self.allocator.takes_blocks().then(|| (beside(block.start()), beside(block.end())))
    }

    /// The values whose whole blocks `column` can hold.
    #[must_use]
    pub fn values_that_fit(&self, column: ColumnRange) -> ColumnRange {
        let (min, max) = (i128::from(column.min), i128::from(column.max));
        let (low, high) = match self.allocator {
            Allocator::LegacyHiLo { block_size } => {
                let size = i128::from(block_size.max(1));
                (-(-min).div_euclid(size), (max - size + 1).div_euclid(size))
            }
            _ => {
                let block = self.ids(0);
                (min - block.start(), max - block.end())
            }
        };
        ColumnRange { min: saturate(low), max: saturate(high) }
    }

    /// The own value at `id`, or the last one before it in the sequence's direction.
    fn at_or_before(&self, id: i128) -> i128 {
        let steps = ((id - self.own) * self.increment.signum()).div_euclid(self.increment.abs());
        self.own + steps * self.increment
    }
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value > 0 { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
#[path = "allocator_tests.rs"]
mod tests;
