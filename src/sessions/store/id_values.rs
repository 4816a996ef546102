//! The values of a sequence, and the ids that are made of them. Pure.

use pgmedic_core::quote_literal;
use pgmedic_core::sequence::allocator::{Allocator, Blocks};

/// What the sequence produces, and which ids are made of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values {
    pub(super) increment: i64,
    /// The furthest value.
    pub(super) bound: i64,
    pub(super) allocator: Allocator,
    /// How many of them a session takes at once.
    pub(super) cache: i64,
    /// The furthest id that counts, where the configuration states it.
    pub(super) stated: Option<i64>,
}

impl Values {
    /// The aggregate that finds the furthest id, and the operators for one that is not further, and for one that is.
    pub(super) fn direction(self) -> (&'static str, &'static str, &'static str) {
        if self.increment > 0 { ("max", "<=", ">") } else { ("min", ">=", "<") }
    }

    /// The ids of a value are it, times this, and so far from that.
    fn of_last_in_block(self) -> (i128, i128) {
        if let Allocator::LegacyHiLo { block_size } = self.allocator {
            let size = i128::from(block_size.max(1));
            return (size, if self.increment > 0 { size - 1 } else { 0 });
        }
        let block = Blocks::new(self.allocator, self.increment, 0).ids(0);
        (1, if self.increment > 0 { *block.end() } else { *block.start() })
    }

    /// The last value that the sequence `q` gave.
    fn last_value(increment: i64) -> String {
        format!("CASE WHEN q.is_called THEN q.last_value::numeric ELSE q.last_value::numeric - ({increment}) END")
    }

    /// The last id that was handed out by the sequence `q`: before the first call it is that of the value before.
    pub(super) fn last_id(self) -> String {
        let (factor, more) = self.of_last_in_block();
        let value = Self::last_value(self.increment);
        format!("greatest(least(({value}) * {factor} + ({more}), {}), {})::bigint", i64::MAX, i64::MIN)
    }

    /// The last id that it can lead to.
    pub(super) fn furthest_id(self) -> i64 {
        let (factor, more) = self.of_last_in_block();
        let furthest = i128::from(self.bound) * factor + more;
        let furthest = furthest.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
        let furthest = i64::try_from(furthest).unwrap_or(self.bound);
        match self.stated {
            Some(stated) if self.increment > 0 => furthest.min(stated),
            Some(stated) => furthest.max(stated),
            None => furthest,
        }
    }

    /// The statements that move this sequence, quoted, up to the id that the query `furthest` finds as `id`, and never back: they
    /// may be run much later, and read the state under the sequence's lock. NULL moves nothing.
    pub(super) fn repair_sql(self, sequence: &str, furthest: &str) -> String {
        let Self { increment, cache, allocator, .. } = self;
        let name = quote_literal(sequence);
        let further = if increment > 0 { ">=" } else { "<=" };
        let (value, is_ahead) = if allocator.takes_blocks() {
            // The value whose block has the id.
            let (last, (factor, more)) = (Self::last_value(increment), self.of_last_in_block());
            let blocks = format!(
                "ceil((f.id - (({last}) * {factor} + ({more}))) / {}::numeric) * ({increment})",
                factor * i128::from(increment)
            );
            (format!("(({last}) + {blocks})::bigint"), format!("{blocks} {further} 0"))
        } else {
            ("f.id::bigint".to_owned(), format!("f.id {further} q.last_value"))
        };
        format!(
            "BEGIN; SET LOCAL lock_timeout = '1s'; ALTER SEQUENCE {sequence} CACHE {cache}; \
             SELECT pg_catalog.setval({name}::regclass, {value}) FROM {sequence} AS q, ({furthest}) AS f WHERE {is_ahead}; COMMIT"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(increment: i64, bound: i64, allocator: Allocator) -> Values {
        Values { increment, bound, allocator, cache: 1, stated: None }
    }

    #[test]
    fn the_furthest_id_is_the_last_one_of_the_last_block() {
        let legacy = Allocator::LegacyHiLo { block_size: 50 };
        for (values, expected) in [
            (values(1, 100, Allocator::Residue), 100),
            (values(50, 100, Allocator::Pooled), 100),
            (values(50, 100, Allocator::HiLo), 149),
            (values(-50, -100, Allocator::HiLo), -149),
            (values(1, 100, legacy), 5049),
            (values(-1, -100, legacy), -5000),
            (values(1, i64::MAX, legacy), i64::MAX),
            (values(50, i64::MAX, Allocator::PooledLo), i64::MAX),
            (Values { stated: Some(70), ..values(1, 100, Allocator::Residue) }, 70),
            (Values { stated: Some(-70), ..values(-1, -100, Allocator::Residue) }, -70),
        ] {
            assert_eq!(values.furthest_id(), expected, "{values:?}");
        }
    }
}
