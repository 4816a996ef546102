use super::*;
use crate::http::status::model::test_support::*;
use crate::report::FarIds;
use pgmedic_core::sequence::HoldReason;

#[test]
fn a_sequence_behind_says_the_next_value_and_the_taken_ids() {
    let story = what(&behind("public.user_sessions_session_id_seq"));
    assert_eq!(story, "Inserts fail with a duplicate key. The next value is 658, and taken ids go up to 695 (lag 38).");
    let descending =
        SequenceReport { next_value: Some(-5), max_id: Some(-9), lag: Some(5), ..behind("public.a_id_seq") };
    assert!(what(&descending).ends_with("The next value is -5, and taken ids go down to -9 (lag 5)."));
}

#[test]
fn ids_far_ahead_are_counted_and_named() {
    let far = |count, from, to| {
        let far_ids = Some(Box::new(FarIds { count, from, to, distance: 1_999_951_787 }));
        let mut sequence = SequenceReport { far_ids, next_value: Some(48_213), ..behind("public.customers_id_seq") };
        if let Some(repair) = &mut sequence.repair {
            repair.held_by = Some(HoldReason::FarIds);
        }
        what(&sequence)
    };
    assert_eq!(
        far(Some(3), 2_000_000_000, Some(2_000_000_002)),
        "3 ids, 2000000000 to 2000000002, lie far ahead of the next value 48213. No insert fails before that \
         distance is used up."
    );
    assert!(far(Some(1), 2_000_000_000, Some(2_000_000_000)).starts_with("1 id, 2000000000, lies far ahead"));
}

#[test]
fn an_exhausted_sequence_says_where_it_ended() {
    let end = what(&exhausted("public.ticks_id_seq"));
    assert_eq!(end, "Inserts fail: the sequence has no values left. It reached 32767, the end of smallint.");
    let own = SequenceReport { limit: Some(999), ..exhausted("public.ticks_id_seq") };
    assert!(what(&own).ends_with("It reached its limit, 999."));
}

#[test]
fn ids_in_the_way_of_what_cannot_be_judged_are_said() {
    let with = |verdict, lag| {
        let sequence = SequenceReport::new("public.a_id_seq".to_owned(), Vec::new(), verdict);
        what(&SequenceReport { lag, ..sequence })
    };
    assert_eq!(with(Verdict::Unsupported, Some(3)), "Inserts fail with a duplicate key.");
    for verdict in [Verdict::Unsupported, Verdict::Unlinked] {
        let lag = (verdict == Verdict::Unlinked).then_some(3);
        assert!(with(verdict, lag).starts_with("pgmedic cannot judge this sequence."));
    }
}

#[test]
fn what_was_not_read_may_be_failing() {
    assert_eq!(what(&unreadable("public.a_id_seq")), "Not checked. Inserts may be failing; pgmedic cannot tell.");
}

#[test]
fn where_no_index_tells_which_values_are_taken_inserts_may_be_failing() {
    let mut held = SequenceReport { next_value: Some(5), max_id: Some(900), ..behind("public.a_id_seq") };
    if let Some(repair) = &mut held.repair {
        repair.held_by = Some(HoldReason::NoIndex);
    }
    let expected = "Inserts may be failing; pgmedic cannot tell. The next value is 5, and the furthest id is 900.";
    assert_eq!(what(&held), expected);
}

#[test]
fn a_range_that_ends_says_how_much_of_it_is_used() {
    let items = what(&running_out("public.items_id_seq"));
    assert_eq!(items, "Inserts will fail: 94.1% of the values up to 2147483647 are used.");
}
