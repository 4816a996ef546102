//! How far a sequence has to move, so that it is beyond everything that was handed out elsewhere. Pure.

use pgmedic_core::sequence::model::{FeedProblem, Sequence};
use pgmedic_core::sequence::position::{ColumnRange, ForwardMove, Position, SequenceState};

/// A headroom may take this share of what is left, one in so many values: they are not handed out again.
const SPARED_SHARE: u128 = 4;

/// What a sequence needs to be beyond another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    /// The move; none where the sequence is there already.
    pub step: Option<ForwardMove>,
    /// How many values will be left unused: what was asked for, or none where the sequence cannot spare them.
    pub headroom: u32,
}

/// The position of `sequence`, up to the nearest limit of its bound and of the columns that it feeds.
pub fn position(sequence: &Sequence, state: SequenceState) -> Position {
    let refused = sequence.feeds.iter().filter_map(|feed| match &feed.source {
        Err(FeedProblem::Refused { source, .. }) => Some(source.range),
        _ => None,
    });
    let columns = refused.fold(sequence.usable_ids(), ColumnRange::narrowest);
    Position::new(*sequence.parameters, state, columns)
}

/// What `new` needs so that `headroom` of its values are left between `old_next`, the next value of the sequence that it
/// takes over from, and its own; none of them where it cannot spare so many. None where not even one value would be left
/// before its limit.
pub fn target(new: &Position, old_next: i128, increment: i64, headroom: u32) -> Option<Target> {
    let last = last_handed_out(old_next, increment);
    let remaining = new.remaining();
    if new.lag(last) >= remaining {
        return None;
    }
    let headroom = spared(new, old_next, increment, headroom);
    let values = new.with_headroom(headroom).lag(last);
    let steps = i128::try_from(values).ok()? - 1;
    let last = i64::try_from(new.next() + steps * i128::from(increment)).ok()?;
    Some(Target { step: (values > 0).then_some(ForwardMove { values, last }), headroom })
}

/// The headroom that `new` is to have of what is wanted: all of it, or none where it cannot spare so much.
pub fn spared(new: &Position, old_next: i128, increment: i64, wanted: u32) -> u32 {
    if wanted <= most_spared(new, old_next, increment) { wanted } else { 0 }
}

/// The largest headroom that `new` can spare: a quarter of the values from `old_next` to its limit.
pub fn most_spared(new: &Position, old_next: i128, increment: i64) -> u32 {
    let distance = (new.limit() - old_next) * i128::from(increment.signum());
    let left = u128::try_from(distance).map_or(0, |distance| distance / u128::from(increment.unsigned_abs()) + 1);
    u32::try_from(left / SPARED_SHARE).unwrap_or(u32::MAX)
}

/// How many values of `new` lie between `old_next` and its next value; negative where it is not beyond.
pub fn lead(new: &Position, old_next: i128, increment: i64) -> i128 {
    let ahead = if increment > 0 { new.next() - old_next } else { old_next - new.next() };
    ahead.div_euclid(i128::from(increment.unsigned_abs()))
}

/// The furthest value that may have been handed out when `next` is the next one.
fn last_handed_out(next: i128, increment: i64) -> i64 {
    let last = if increment > 0 { next - 1 } else { next + 1 };
    i64::try_from(last).unwrap_or(if last > 0 { i64::MAX } else { i64::MIN })
}

#[cfg(test)]
#[path = "target_tests.rs"]
mod tests;
