//! Tables that were made to burn a key, or to keep real drift from being repaired.

use super::super::rows::every;
use super::super::scenario::{Event, M, Scenario, scenario};
use super::{Case, compare, figures, same};

#[test]
fn attacks_cost_what_the_simulator_says() {
    compare(lone_rows());
    compare(many_rows());
}

/// A little under 1 % of int4.
const ONE_PERCENT: i128 = 21_474_836 - 100;

fn table(name: &'static str) -> Scenario {
    scenario(name, 1001).rows(1, 1000)
}

/// One row so far ahead before each pass, deleted after it.
fn there_and_gone(scenario: Scenario, passes: i64, ahead: i128) -> Scenario {
    scenario.each(29, 30, passes, |_| Event::PutAhead(ahead, ahead)).each(31, 30, passes, |_| Event::TakeBack)
}

fn lone_rows() -> Vec<Case> {
    let far = figures(0, 0, 0).held(&[("far_ids", 119)]);
    let single =
        |name| table(name).rate(|_| 10.0).seconds(36_000).each(15, 30, 1200, |_| Event::PutAhead(99_000, 99_000));
    vec![
        same(there_and_gone(table("one row a pass at 21.4 M, deleted"), 119, ONE_PERCENT), far),
        same(there_and_gone(table("one row a pass at 21.4 M, deleted, --once"), 119, ONE_PERCENT).once(), far),
        same(
            there_and_gone(table("one row a pass at 99 000, deleted, --once"), 119, 99_000).once(),
            figures(0, 11_780_881, 0),
        ),
        same(
            table("rows at 49 % of what is left").each(29, 30, 20, |_| Event::PutAtShare(0.49)),
            figures(0, 0, 0).held(&[("far_ids", 120)]),
        ),
        same(
            there_and_gone(table("seven far rows, then drift of 50 000").rate(|_| 10.0), 7, ONE_PERCENT)
                .at(300, Event::PutAhead(0, 49_999)),
            figures(0, 0, 0).held(&[("far_ids", 7)]),
        ),
        same(
            table("two rows 400 ahead, then drift of 20 000")
                .rate(|_| 10.0)
                .at(29, Event::PutAhead(400, 400))
                .at(59, Event::PutAhead(400, 400))
                .at(89, Event::PutAhead(0, 19_999)),
            figures(10, 780, 0),
        ),
        same(
            table("a far row, then drift of 5 000")
                .rate(|_| 10.0)
                .at(95, Event::Put(1500 * M, 1500 * M))
                .at(200, Event::PutAhead(0, 4999)),
            figures(100, 0, 0).held(&[("far_ids", 116)]),
        ),
        same(single("single rows 99 000 ahead, each pass"), figures(0, 394_404, 0).held(&[("far_ids", 1196)])),
        same(
            single("the same, and drift of 5 000 at the end").at(35_000, Event::PutAhead(0, 4999)),
            figures(100, 488_188, 0).held(&[("far_ids", 1195)]),
        ),
    ]
}

fn many_rows() -> Vec<Case> {
    vec![
        same(
            table("1.07 M rows, every 1 000th id").seconds(300).at(29, Event::PutPattern(every(1500, 1074 * M, 1000))),
            figures(0, 9190, 0).held(&[("thin", 10)]),
        ),
        same(
            table("2 000 rows, 99 000 apart").at(29, Event::PutPattern(every(50_000, 198 * M, 99_000))),
            figures(0, 0, 0).held(&[("far_ids", 120)]),
        ),
        same(
            table("107 k rows, every 200th id to 21.4 M, --once")
                .seconds(400)
                .once()
                .at(29, Event::PutPattern(every(1080, 1030 + ONE_PERCENT, 200))),
            figures(0, 2077, 0).held(&[("thin", 13)]),
        ),
    ]
}
