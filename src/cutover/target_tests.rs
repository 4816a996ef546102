use super::*;
use pgmedic_core::sequence::position::Parameters;

fn at(next: i64, increment: i64, max_value: i64) -> Position {
    let (min_value, max_value) = if increment > 0 { (1, max_value) } else { (-max_value, -1) };
    let parameters = Parameters { increment, min_value, max_value, start: next, cache: 1, cycle: false };
    Position::new(parameters, SequenceState { last_value: next, is_called: false }, ColumnRange::INT8)
}

/// The next value after the move, and the headroom.
fn moved(new: Position, old_next: i128, increment: i64, headroom: u32) -> Option<(i64, u32)> {
    let target = target(&new, old_next, increment, headroom)?;
    let next = target.step.map_or(i64::try_from(new.next()).unwrap(), |step| step.last + increment);
    Some((next, target.headroom))
}

#[test]
fn the_next_value_is_the_old_one_and_the_headroom_further() {
    assert_eq!(moved(at(1, 1, 1_000_000), 501, 1, 0), Some((501, 0)));
    assert_eq!(moved(at(1, 1, 1_000_000), 501, 1, 100), Some((601, 100)));
    assert_eq!(moved(at(550, 1, 1_000_000), 501, 1, 100), Some((601, 100)), "what it is ahead already counts");
    assert_eq!(target(&at(601, 1, 1_000_000), 501, 1, 100).unwrap().step, None);
    assert_eq!(target(&at(9_000, 1, 1_000_000), 501, 1, 100).unwrap().step, None, "never back");
}

#[test]
fn a_descending_sequence_moves_downwards() {
    assert_eq!(moved(at(-1, -1, 1_000_000), -501, -1, 100), Some((-601, 100)));
    assert_eq!(target(&at(-601, -1, 1_000_000), -501, -1, 100).unwrap().step, None);
}

#[test]
fn another_residue_class_stays_its_own() {
    // 3, 13, 23, …; the old one would hand out 41 next.
    assert_eq!(moved(at(3, 10, 1_000_000), 41, 10, 0), Some((43, 0)));
    assert_eq!(moved(at(3, 10, 1_000_000), 41, 10, 2), Some((63, 2)));
}

#[test]
fn a_headroom_of_more_than_a_quarter_of_what_is_left_is_not_taken() {
    assert_eq!(moved(at(1, 1, 1_000), 601, 1, 100), Some((701, 100)), "400 are left");
    assert_eq!(moved(at(1, 1, 1_000), 601, 1, 101), Some((601, 0)));
    assert_eq!(moved(at(1, 1, 1_000), 601, 1, 5_000), Some((601, 0)));
    assert_eq!(moved(at(-1, -1, 1_000), -601, -1, 101), Some((-601, 0)));
    assert_eq!(moved(at(1, 1, 1_000), 1_000, 1, 5), Some((1_000, 0)));
    assert_eq!(moved(at(1, 1, 1_000), 1_001, 1, 0), None, "no value is left");
    assert_eq!(moved(at(1, 1, i64::MAX), i128::from(i64::MAX) + 1, 1, 0), None);
    assert_eq!(most_spared(&at(1, 1, i64::MAX), 1, 1), u32::MAX);
    assert_eq!(most_spared(&at(1, 1, 1_000), 2_000, 1), 0);
}

#[test]
fn the_lead_counts_own_values() {
    assert_eq!(lead(&at(601, 1, 1_000), 501, 1), 100);
    assert_eq!(lead(&at(63, 10, 1_000), 41, 10), 2);
    assert_eq!(lead(&at(40, 1, 1_000), 41, 1), -1);
    assert_eq!(lead(&at(-601, -1, 1_000), -501, -1), 100);
}
