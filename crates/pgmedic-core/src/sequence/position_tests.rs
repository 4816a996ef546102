use super::*;

fn parameters(increment: i64) -> Parameters {
    let (min_value, max_value) = if increment > 0 { (1, i64::MAX) } else { (i64::MIN, -1) };
    let start = if increment > 0 { min_value } else { max_value };
    Parameters { increment, min_value, max_value, start, cache: 1, cycle: false }
}

fn called(last_value: i64) -> SequenceState {
    SequenceState { last_value, is_called: true }
}

fn fresh(last_value: i64) -> SequenceState {
    SequenceState { last_value, is_called: false }
}

fn position(increment: i64, state: SequenceState) -> Position {
    Position::new(parameters(increment), state, ColumnRange::INT8)
}

#[test]
fn the_story_has_a_gap_of_38_and_is_repaired_by_696() {
    let serial = Parameters { max_value: i64::from(i32::MAX), ..parameters(1) };
    let position = Position::new(serial, fresh(658), ColumnRange::INT4);
    assert_eq!(position.next_value(), Some(658));
    assert_eq!(position.compare(Some(695)), Comparison::Behind { lag: 38 });
    assert_eq!(position.move_past(694, 0), Some(ForwardMove { values: 38, last: 695 }));
    assert_eq!((position.next_number(), position.limit_number()), (657, 2_147_483_646));
    assert!((position.used_ratio() - 657.0 / 2_147_483_647.0).abs() < 1e-15);
}

#[test]
fn a_fresh_sequence_beside_its_own_first_id_is_behind() {
    let judgement = position(1, fresh(1)).compare(Some(1));
    assert_eq!(judgement, Comparison::Behind { lag: 1 });
    assert_eq!(position(1, called(1)).compare(Some(1)), Comparison::InSync);
    assert_eq!(position(1, fresh(1)).compare(None), Comparison::InSync);
}

#[test]
fn a_descending_sequence_is_behind_when_its_next_value_is_not_below_the_max_id() {
    let position = position(-1, called(-10));
    assert_eq!(position.next_value(), Some(-11));
    assert_eq!(position.compare(Some(-10)), Comparison::InSync);
    assert_eq!(position.compare(Some(-20)), Comparison::Behind { lag: 10 });
    assert_eq!(position.move_past(19, 2), Some(ForwardMove { values: 12, last: -22 }));
}

#[test]
fn a_move_stays_in_the_sequences_own_residue_class() {
    let position = position(10, called(91));
    assert_eq!(position.classify(198, true), ExtremeClass::NeedsRefinement, "another node's id");
    assert_eq!(position.classify(191, true), ExtremeClass::MaxId);
    assert_eq!(position.classify(88, true), ExtremeClass::MaxId, "behind: it stands for the max id");
    assert_eq!(position.move_past(19, 0), Some(ForwardMove { values: 10, last: 191 }));
}

#[test]
fn values_that_are_to_be_left_unused_are_a_gap_until_they_are_left() {
    for (increment, max_id) in [(1, 100), (10, 1000), (-1, -100)] {
        let at = |values: i64| position(increment, called(max_id + values * increment)).with_headroom(20);
        assert_eq!(at(20).compare(Some(max_id)), Comparison::InSync, "just enough");
        assert_eq!(at(19).compare(Some(max_id)), Comparison::Behind { lag: 1 });
        assert_eq!(at(0).compare(Some(max_id)), Comparison::Behind { lag: 20 });
        assert_eq!(at(-5).compare(Some(max_id)), Comparison::Behind { lag: 25 });
        let last = max_id + 20 * increment;
        let past = at(15).numbering().at_or_before(i128::from(max_id));
        let step = at(15).move_past(past, 20);
        assert_eq!(step, Some(ForwardMove { values: 5, last }), "what is missing is handed out");
    }
}

#[test]
fn values_are_left_unused_beyond_the_start_where_no_id_was_seen() {
    let position = |state| position(10, state).with_headroom(20);
    assert_eq!(position(fresh(1)).compare(None), Comparison::Behind { lag: 20 });
    assert_eq!(position(fresh(201)).compare(None), Comparison::InSync, "it does not move on each time");
    assert_eq!(position(fresh(1)).with_headroom(0).compare(None), Comparison::InSync);
}

#[test]
fn ids_among_the_values_to_be_left_unused_are_looked_for() {
    let position = position(10, called(191)).with_headroom(5);
    assert_eq!(position.first_reserved(), 151);
    assert_eq!(position.classify(198, true), ExtremeClass::NeedsRefinement, "it may hide an own id from 151 on");
    assert_eq!(position.classify(158, true), ExtremeClass::NeedsRefinement);
    assert_eq!(position.classify(148, true), ExtremeClass::MaxId, "behind: it stands for the max id");
}

#[test]
fn ids_out_of_bounds_and_fractions_are_not_the_sequences_own() {
    let bounded = Parameters { min_value: 100, max_value: 1000, ..parameters(1) };
    let position = Position::new(bounded, called(500), ColumnRange::INT8);
    assert_eq!(position.classify(5000, true), ExtremeClass::NeedsRefinement);
    assert_eq!(position.classify(700, false), ExtremeClass::NeedsRefinement);
    assert_eq!(position.classify(7, true), ExtremeClass::NotOwn);
    let full = Position::new(bounded, called(1000), ColumnRange::INT8);
    assert_eq!(full.classify(5000, true), ExtremeClass::NotOwn, "there is nothing from its next value on");
}

#[test]
fn the_nearer_of_sequence_and_column_is_the_limit() {
    let position = Position::new(parameters(1), called(i64::from(i32::MAX)), ColumnRange::INT4);
    assert_eq!(position.compare(Some(5)), Comparison::Exhausted);
    assert_eq!(position.next_value(), Some(2_147_483_648), "nextval itself would still work");
    assert!((position.used_ratio() - 1.0).abs() < f64::EPSILON);
    let bounded = Parameters { max_value: 100, ..parameters(1) };
    assert_eq!(Position::new(bounded, called(10), ColumnRange::INT2).limit(), 100);
}

#[test]
fn an_id_beyond_the_limit_is_not_in_the_way_and_may_hide_one_that_is() {
    let position = Position::new(parameters(1), called(10), ColumnRange::INT4);
    assert_eq!(position.classify(9_000_000_001, true), ExtremeClass::NeedsRefinement);
    assert_eq!(position.classify(i128::from(i32::MAX), true), ExtremeClass::MaxId);
}

#[test]
fn a_max_id_at_the_limit_leaves_no_room() {
    let position = Position::new(parameters(1), fresh(658), ColumnRange::INT4);
    let lag = u128::from(i32::MAX.unsigned_abs()) - 657;
    assert_eq!(position.compare(Some(i64::from(i32::MAX))), Comparison::Behind { lag });
    let one_below = position.move_past(i128::from(i32::MAX) - 2, 1000);
    assert_eq!(one_below.map(|step| step.last), Some(i64::from(i32::MAX) - 1), "headroom leaves a value");
    assert_eq!(position.move_past(600, 0), None, "backwards");
}

#[test]
fn nothing_overflows_at_the_edges_of_int8() {
    let widest = Parameters { min_value: i64::MIN, max_value: i64::MAX, start: i64::MIN, ..parameters(1) };
    let position = Position::new(widest, fresh(i64::MIN), ColumnRange::INT8);
    assert_eq!(position.remaining(), 1 << 64);
    assert_eq!(position.compare(Some(i64::MAX)), Comparison::Behind { lag: 1 << 64 });
    assert_eq!(position.move_past(position.limit_number() - 1, u32::MAX).map(|step| step.last), Some(i64::MAX - 1));
    for increment in [i64::MAX, i64::MIN, 1, -1] {
        for last_value in [i64::MIN, -1, 0, 1, i64::MAX] {
            for max_id in [i64::MIN, 0, i64::MAX] {
                let both = Parameters { min_value: i64::MIN, max_value: i64::MAX, ..parameters(increment) };
                let position = Position::new(both, called(last_value), ColumnRange::INT8);
                let ratio = position.used_ratio();
                assert!((0.0..=1.0).contains(&ratio), "{increment} {last_value}: {ratio}");
                let past = position.numbering().at_or_before(i128::from(max_id));
                if let Some(step) = position.move_past(past, 3) {
                    assert!(position.lag(max_id) <= step.values);
                }
            }
        }
    }
}

#[test]
fn exhausted_at_its_own_bound_has_no_next_value() {
    let full = Position::new(parameters(1), called(i64::MAX), ColumnRange::INT8);
    assert_eq!(full.next_value(), None);
    assert_eq!(full.compare(None), Comparison::Exhausted);
    assert_eq!(full.remaining(), 0);
}

#[test]
fn numeric_columns_hold_as_many_digits_as_they_say() {
    assert_eq!(ColumnRange::numeric(3), ColumnRange { min: -999, max: 999 });
    assert_eq!(ColumnRange::numeric(18).max, 999_999_999_999_999_999);
    assert_eq!(ColumnRange::numeric(19), ColumnRange::INT8);
}

#[test]
fn a_later_state_moves_the_next_value_on_and_never_back() {
    let seen = position(1, called(40));
    assert_eq!(seen.moved_on(called(90)).next_value(), Some(91));
    assert_eq!(seen.moved_on(fresh(90)).next_value(), Some(90));
    assert_eq!(seen.moved_on(called(7)), seen, "another session set it back");
    assert_eq!(position(-2, called(-41)).moved_on(called(-51)).next_value(), Some(-53));
}
