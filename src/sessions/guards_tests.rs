use super::*;
use proptest::prelude::*;

#[test]
fn guards_let_small_numbers_pass() {
    let numbers =
        |stale, fresh, live_before, any_live| SweepCounts { stale, fresh, backlog_before: None, live_before, any_live };
    assert_eq!(guard(numbers(0, Some(0), 0, false), 0.5, 100), None);
    assert_eq!(guard(numbers(100, None, 0, false), 0.5, 100), None);
    assert_eq!(guard(numbers(101, None, 0, false), 0.5, 100), Some(SweepGuard::NoneLeft));
    // A backlog of any size may go, as long as somebody is left.
    assert_eq!(guard(numbers(1_000_000, None, 0, true), 0.5, 100), None);
    assert_eq!(guard(numbers(1_000_000, Some(50), 200, true), 0.5, 100), None);
    assert_eq!(guard(numbers(100, Some(100), 100, true), 0.5, 100), None);
    let too_many = Some(SweepGuard::TooMany { fresh: 101, of: 200, backlog_may_go: true });
    assert_eq!(guard(numbers(101, Some(101), 200, true), 0.5, 100), too_many);
    assert_eq!(guard(numbers(101, Some(101), 202, true), 0.5, 100), None);
    assert_eq!(guard(numbers(101, Some(101), 101, true), 1.0, 100), None);
    // Ends that were set to long ago are no backlog: nobody had seen them.
    let redated = |backlog_before| SweepCounts { backlog_before, ..numbers(299, Some(0), 300, true) };
    let held = SweepGuard::TooMany { fresh: 299, of: 300, backlog_may_go: false };
    assert_eq!(guard(redated(Some(0)), 0.5, 100), Some(held));
    assert_eq!(guard(redated(Some(299)), 0.5, 100), None);
}

proptest! {
    #[test]
    fn what_is_held_is_more_than_the_floor(
        stale in 0u64..10_000, fresh in 0u64..10_000, live_before in 0u64..10_000,
        any_live: bool, fraction in 0.01f64..1.0, floor in 0u64..1000,
    ) {
        let numbers = SweepCounts { stale: stale + fresh, fresh: Some(fresh), backlog_before: None, live_before, any_live };
        match guard(numbers, fraction, floor) {
            None => prop_assert!(
                (any_live || stale + fresh <= floor)
                    && (fresh <= floor || !exceeds(fresh, live_before, fraction))
            ),
            Some(SweepGuard::NoneLeft) => prop_assert!(!any_live && stale + fresh > floor),
            Some(SweepGuard::TooMany { .. }) => prop_assert!(fresh > floor),
        }
    }
}
