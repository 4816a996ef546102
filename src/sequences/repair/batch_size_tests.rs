use super::*;

const QUICK: Duration = Duration::from_millis(5);
const LOCK: Duration = Duration::from_millis(100);

fn after(messages: usize) -> AdaptiveBatchSize {
    let mut pace = AdaptiveBatchSize::new(LOCK);
    (0..messages).for_each(|_| pace.record(QUICK, false));
    pace
}

#[test]
fn it_begins_with_one_and_doubles_up_to_eighty() {
    let fits: Vec<usize> = (0..9).map(|messages| after(messages).fits([1; 200])).collect();
    assert_eq!(fits, [1, 2, 4, 8, 16, 32, 64, 80, 80]);
}

#[test]
fn after_a_failure_or_a_long_message_it_begins_again() {
    for (took, failed) in [(QUICK, true), (Duration::from_secs(2), false)] {
        let mut pace = after(9);
        pace.record(took, failed);
        assert_eq!(pace.fits([1; 200]), 1);
    }
}

#[test]
fn advances_that_may_wait_long_for_their_locks_go_few_together() {
    let fits = |seconds| {
        let mut pace = AdaptiveBatchSize::new(Duration::from_secs(seconds));
        (0..9).for_each(|_| pace.record(QUICK, false));
        pace.fits([1; 200])
    };
    assert_eq!((fits(0), fits(1), fits(5), fits(60)), (80, 10, 2, 1));
}

#[test]
fn a_message_hands_out_a_hundred_thousand_values_or_is_one_advance() {
    let pace = after(9);
    assert_eq!(pace.fits([40_000; 200]), 2);
    assert_eq!(pace.fits([5_000_000, 1]), 1);
    assert_eq!(pace.fits([1, 5_000_000]), 1);
    assert_eq!(pace.fits([u128::MAX, u128::MAX]), 1);
    assert_eq!(pace.fits([1, 2, 3]), 3);
}
