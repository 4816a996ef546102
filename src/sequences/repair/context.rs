//! What all repairs of a pass need to know, and how much one advance of them hands out.

use pgmedic_core::Timeouts;
use pgmedic_core::sequence::position::{ForwardMove, Position};

/// What all repairs of a pass need to know.
#[derive(Debug, Clone, Copy)]
pub struct RepairContext {
    /// Values of `--headroom`.
    pub headroom: u32,
    pub timeouts: Timeouts,
    /// Why nothing is to be changed, if so.
    pub look_only: Option<&'static str>,
}

impl RepairContext {
    /// The values that an advance hands out well within the statement's time.
    fn values_of_slice(&self) -> u128 {
        /// About a sixth of what a server hands out in a millisecond.
        const VALUES_PER_MILLISECOND: u128 = 250;
        (self.timeouts.statement.as_millis() * VALUES_PER_MILLISECOND).clamp(1, 1_000_000)
    }

    /// The first part of a move, as far as one statement can take it.
    pub fn slice(&self, whole: ForwardMove, position: &Position) -> ForwardMove {
        let values = whole.values.min(self.values_of_slice());
        let last = i128::try_from(values).ok().and_then(|values| {
            let numbering = position.numbering();
            i64::try_from(numbering.id(position.next_number() + values - 1)).ok()
        });
        last.map_or(whole, |last| ForwardMove { values, last })
    }
}
