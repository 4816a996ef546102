//! Imports beside the sequence, others' ranges and busy sequences.

use super::super::rows::{every, one_in};
use super::super::scenario::{Event, INT4, INT8, M, Scenario, scenario};
use super::{Case, OTHER_ROWS, compare, differs, figures, same};

#[test]
fn imports_cost_what_the_simulator_says() {
    compare(imports());
    compare(hashed_ids());
}

#[test]
fn others_ranges_and_races_cost_what_the_simulator_says() {
    compare(ranges());
    compare(races());
}

/// A table of 1 000 rows with 10 inserts a second.
fn table(name: &'static str) -> Scenario {
    scenario(name, 1001).rows(1, 1000).rate(|_| 10.0)
}

fn imports() -> Vec<Case> {
    vec![
        same(table("import of 1 M dense ids").rate(|_| 100.0).at(95, Event::PutAhead(5, M)), figures(2495, 0, 0)),
        same(
            table("import in steps of 1 000, to 1e9")
                .seconds(300)
                .at(95, Event::PutPattern(every(2000, 1000 * M, 1000))),
            figures(1, 4993, 0).held(&[("thin", 7)]),
        ),
        same(
            table("import in steps of 99 000, to 9.9e8")
                .seconds(7200)
                .at(95, Event::PutPattern(every(2000, 990 * M, 99_000))),
            figures(1, 0, 0).held(&[("far_ids", 237)]),
        ),
        same(
            table("reversed import from 20 M down, 100 000 a pass").seconds(4000).each(95, 30, 100, |nth| {
                let to = 20 * M - 100_000 * i128::from(nth);
                Event::Put(to - 99_999, to)
            }),
            figures(0, 19_897_800, 0),
        ),
        same(
            table("import in three files, a pass between")
                .seconds(1800)
                .at(95, Event::PutAhead(0, 9))
                .at(125, Event::PutAhead(0, 199))
                .at(155, Event::PutAhead(0, 49_999)),
            figures(460, 0, 0),
        ),
        same(
            table("COPY through several passes, 20 000 ids a second").rate(|_| 100.0).seconds(900).each(
                91,
                1,
                300,
                |nth| Event::Put(M + 20_000 * i128::from(nth), M + 20_000 * i128::from(nth) + 19_999),
            ),
            figures(26_100, 986_999, 0),
        ),
        same(
            table("an application's own MAX + 1 beside it, 5 a second").rate(|_| 50.0).seconds(400).each(
                31,
                1,
                300,
                |_| Event::PutBehindMax(5),
            ),
            figures(1450, 0, 0),
        ),
        same(
            table("three imports, a pass apart, of 40, 40 and 20 000 ids")
                .rate(|_| 1.0)
                .at(29, Event::PutAhead(40, 80))
                .at(59, Event::PutAhead(40, 80))
                .at(89, Event::PutAhead(0, 19_999)),
            figures(1, 78, 0),
        ),
        same(
            table("two thirds idle, drift of 38 at night").rate(|_| 0.01).seconds(7200).at(605, Event::PutAhead(0, 37)),
            figures(0, 0, 0),
        ),
        same(table("healthy, 1 000 a second").rate(|_| 1000.0), figures(0, 0, 0)),
    ]
}

fn hashed_ids() -> Vec<Case> {
    let hashed = |name, ids, to| table(name).at(95, Event::PutPattern(one_in((to - 1000) / ids, 1001, to)));
    vec![
        differs(
            table("10 000 ids hashed over int4").at(95, Event::Scatter(INT4 / 10_000, 1001, INT4)).seconds(7200),
            figures(0, 5866, 0).held(&[("far_ids", 235)]),
            figures(0, 4798, 0).held(&[("far_ids", 236)]),
            OTHER_ROWS,
        ),
        differs(
            hashed("1 M ids hashed over int4", M, INT4).seconds(300),
            figures(2, 6258, 0).held(&[("far_ids", 3)]),
            figures(0, 4247, 0).held(&[("far_ids", 3)]),
            OTHER_ROWS,
        ),
        same(
            hashed("1 M ids hashed over int8", M, INT8).limit(INT8).seconds(300),
            figures(0, 0, 0).held(&[("far_ids", 7)]),
        ),
        differs(
            scenario("100 M dense, then 1 M hashed beyond", 1)
                .rows(1, 100 * M)
                .pattern(one_in(2047, 100 * M + 1, INT4))
                .rate(|_| 10.0)
                .seconds(90),
            figures(301, 2432, 0),
            figures(300, 2240, 0),
            OTHER_ROWS,
        ),
        same(
            scenario("1 M ids spread over int4, one in 2 140", 1)
                .pattern(every(2000, INT4 - 1000, 2140))
                .rate(|_| 10.0)
                .seconds(90),
            figures(0, 1699, 0).held(&[("far_ids", 2)]),
        ),
    ]
}

fn ranges() -> Vec<Case> {
    let far = |name, rows| scenario(name, 5 * M).rows(1, 5 * M - 1).rows(1000 * M, 1000 * M + rows).rate(|_| 100.0);
    let held = figures(0, 0, 0).held(&[("far_ids", 120)]);
    vec![
        same(far("node B from 1e9, 10 M rows", 10 * M), held),
        same(far("node B from 1e9, 200 M rows", 200 * M), held),
        same(
            scenario("node B from 10 M, 2 M rows", 50_000).rows(1, 49_999).rows(10 * M, 12 * M).rate(|_| 10.0),
            figures(0, 9_949_700, 0),
        ),
        same(scenario("ten reserved ids from 1 M on", 501).rows(1, 500).rows(M, M + 9).rate(|_| 10.0), held),
        same(scenario("sentinel at 20 M beside 500 rows", 501).rows(1, 500).rows(20 * M, 20 * M), held),
    ]
}

fn races() -> Vec<Case> {
    let race = |name| scenario(name, 1).rows(50 * M, 52 * M).rows(1900 * M, 1900 * M).rate(|_| 70_000.0).seconds(1500);
    vec![
        same(race("70 000 a second towards 50 M to 52 M"), figures(0, 20_599_999, 0).held(&[("far_ids", 49)])),
        same(race("the same, --once every 30 s").once(), figures(400_001, 0, 0).held(&[("far_ids", 49)])),
        same(
            scenario("idle, then 70 000 a second, block 1 M ahead", 1)
                .rows(M, 4 * M)
                .rows(1900 * M, 1900 * M)
                .rate(|time| if time >= 900 { 70_000.0 } else { 0.0 })
                .seconds(1200),
            figures(0, 999_999, 0).held(&[("far_ids", 39)]),
        ),
    ]
}
