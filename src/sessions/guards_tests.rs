use super::*;
use proptest::prelude::*;

const LIMITS: SweepLimits = SweepLimits { max_ended_ratio: 0.5, min_sessions: 100 };

fn counts(stale: u64, fresh: Option<u64>, live_before: u64, any_live: bool) -> SweepCounts {
    SweepCounts { stale, fresh, live_before, any_live, ..SweepCounts::default() }
}

/// What may expire, and the hold.
fn expires(counts: SweepCounts) -> (Expire, Option<Hold>) {
    let (plan, holds) = allowed(&counts, LIMITS);
    assert!(holds.len() <= 1, "{holds:?}");
    (plan.expire, holds.first().copied())
}

#[test]
fn a_sweep_that_would_leave_no_live_session_ends_none() {
    assert_eq!(expires(counts(0, Some(0), 0, false)), (Expire::All, None));
    assert_eq!(expires(counts(100, None, 0, false)), (Expire::All, None));
    assert_eq!(expires(counts(101, None, 0, false)), (Expire::Nothing, Some(Hold::NoneLeft { stale: 101 })));
}

fn first(stale: u64, doubtful: u64, live: u64) -> SweepCounts {
    SweepCounts { doubtful, live, is_first_sweep: true, ..counts(stale, None, 0, live > 0) }
}

#[test]
fn a_first_sweep_is_held_by_what_a_time_zone_could_explain_at_every_size() {
    let hold = |ended, doubtful, all| (Expire::Nothing, Some(Hold::FirstSweep { ended, doubtful, all }));
    assert_eq!(expires(first(5000, 5000, 50)), hold(5000, 5000, 5050));
    assert_eq!(expires(first(2, 2, 1)), hold(2, 2, 3));
    assert_eq!(expires(first(5000, 0, 1)), (Expire::All, None), "over for longer than a day");
    assert_eq!(expires(first(5000, 2, 1)), hold(5000, 2, 5001), "a backlog hides none of them");
    assert_eq!(expires(first(50, 50, 50)), (Expire::All, None), "half of them may go");
    assert_eq!(expires(first(1, 0, 0)), (Expire::Nothing, Some(Hold::NoneLeft { stale: 1 })));
    let capped = SweepCounts { is_doubtful_capped: true, ..first(100_000, 100_000, 100_000) };
    assert_eq!(expires(capped), hold(100_000, 100_000, 200_000), "the rest was not counted");
    let idle = |counts| expires(SweepCounts { is_idle: true, ..counts });
    assert_eq!(idle(first(500, 500, 0)), (Expire::All, None), "as at night");
    assert_eq!(idle(first(500, 500, 1)), (Expire::All, None), "with a robot's session");
    let all_may_go = SweepLimits { max_ended_ratio: 1.0, ..LIMITS };
    assert_eq!(allowed(&first(7, 7, 0), all_may_go).0.expire, Expire::All);
}

#[test]
fn new_sessions_that_are_over_are_held_and_a_few_among_others_are_not() {
    let looked = |stale, live, live_before| SweepCounts {
        live,
        backlog_before: Some(0),
        ..counts(stale, Some(0), live_before, live > 0)
    };
    let hold = |over, new| (Expire::Nothing, Some(Hold::OverFromBirth { over, new }));
    assert_eq!(expires(looked(1, 50, 50)), hold(1, 1));
    assert_eq!(expires(looked(5, 53, 50)), hold(5, 8));
    assert_eq!(expires(looked(5, 55, 50)), (Expire::All, None), "half of the new ones");
    assert_eq!(expires(looked(5, 45, 50)), (Expire::All, None), "none is new: their end was set back");
}

#[test]
fn a_backlog_of_any_size_may_go_while_a_session_is_live() {
    assert_eq!(expires(counts(1_000_000, None, 0, true)), (Expire::All, None));
    assert_eq!(expires(counts(1_000_000, Some(50), 200, true)), (Expire::All, None));
}

#[test]
fn too_many_that_were_live_are_held_and_the_backlog_goes() {
    assert_eq!(expires(counts(100, Some(100), 100, true)), (Expire::All, None), "few may always go");
    let hold = Hold::TooManyEnded { ended: 101, live: 200 };
    assert_eq!(expires(counts(101, Some(101), 200, true)), (Expire::Backlog, Some(hold)));
    assert_eq!(expires(counts(101, Some(101), 202, true)), (Expire::All, None), "half of them may go");
    let all_may_go = SweepLimits { max_ended_ratio: 1.0, ..LIMITS };
    let (plan, holds) = allowed(&counts(101, Some(101), 101, true), all_may_go);
    assert_eq!((plan.expire, holds), (Expire::All, vec![]));
}

#[test]
fn sessions_that_were_given_an_end_long_ago_are_no_backlog() {
    let redated = |backlog_before| SweepCounts { backlog_before, ..counts(299, Some(0), 300, true) };
    let hold = Hold::TooManyEnded { ended: 299, live: 300 };
    assert_eq!(expires(redated(Some(0))), (Expire::Nothing, Some(hold)));
    assert_eq!(expires(redated(Some(299))), (Expire::All, None));
    assert_eq!(expires(redated(None)), (Expire::All, None), "the backlog was not counted");
    // So few of them that the rest of the backlog may go.
    let some = SweepCounts { backlog_before: Some(100), ..counts(400, Some(200), 300, true) };
    assert_eq!(expires(some), (Expire::Backlog, Some(Hold::TooManyEnded { ended: 300, live: 300 })));
}

#[test]
fn superseded_sessions_are_held_by_themselves() {
    let superseded = |superseded, superseded_of_one, live| {
        let counts = SweepCounts { superseded, superseded_of_one, live, ..counts(7, None, 0, true) };
        let (plan, holds) = allowed(&counts, LIMITS);
        assert_eq!(plan.expire, Expire::All);
        (plan.supersede, holds)
    };
    assert_eq!(superseded(0, 0, 300), (false, vec![]), "none is there to end");
    assert_eq!(superseded(100, 100, 100), (true, vec![]));
    assert_eq!(superseded(101, 101, 1000), (false, vec![Hold::TooManyOfOneUser { sessions: 101 }]));
    assert_eq!(superseded(150, 2, 300), (true, vec![]));
    assert_eq!(superseded(151, 2, 300), (false, vec![Hold::TooManySuperseded { superseded: 151, live: 300 }]));
}

#[test]
fn both_parts_of_a_sweep_may_be_held_at_once() {
    let both = SweepCounts { superseded: 101, superseded_of_one: 101, live: 1, ..counts(101, None, 0, false) };
    let holds = vec![Hold::NoneLeft { stale: 101 }, Hold::TooManyOfOneUser { sessions: 101 }];
    assert_eq!(allowed(&both, LIMITS), (SweepPlan::NOTHING, holds));
}

proptest! {
    #[test]
    fn a_sweep_is_held_exactly_when_it_would_end_too_many(
        backlog in 0u64..10_000, fresh in 0u64..10_000, live_before in 0u64..10_000,
        any_live: bool, max_ended_ratio in 0.01f64..1.0, min_sessions in 0u64..1000,
    ) {
        let counts = counts(backlog + fresh, Some(fresh), live_before, any_live);
        let (plan, holds) = allowed(&counts, SweepLimits { max_ended_ratio, min_sessions });
        let none_left = !any_live && counts.stale > min_sessions;
        let too_many = fresh > min_sessions && fresh as f64 > live_before as f64 * max_ended_ratio;
        let expected = match (none_left, too_many) {
            (true, _) => (Expire::Nothing, vec![Hold::NoneLeft { stale: counts.stale }]),
            (false, true) => (Expire::Backlog, vec![Hold::TooManyEnded { ended: fresh, live: live_before }]),
            (false, false) => (Expire::All, vec![]),
        };
        prop_assert_eq!((plan.expire, holds), expected);
    }
}
