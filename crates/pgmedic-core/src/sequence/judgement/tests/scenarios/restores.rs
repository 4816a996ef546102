//! Restores, restarts on purpose, failovers and sessions.

use super::super::rows::{Pattern, one_in};
use super::super::scenario::{Event, M, scenario};
use super::{Case, OTHER_ROWS, compare, differs, figures, same};

#[test]
fn restores_cost_what_the_simulator_says() {
    compare(restores());
    compare(partial_restores());
}

#[test]
fn restarts_failovers_and_sessions_cost_what_the_simulator_says() {
    compare(restarts_and_sessions());
}

fn restores() -> Vec<Case> {
    let in_each =
        |name, cell, to| scenario(name, 1).pattern(one_in(cell, 1, to)).ever(1, to).rate(|_| 10.0).seconds(1800);
    let left = |name, one_in, to| scenario(name, 1).scattered(one_in, 1, to).ever(1, to).rate(|_| 10.0).seconds(1800);
    vec![
        same(scenario("story: 658 beside 695", 659).rows(1, 695).seconds(600), figures(30, 0, 0)),
        same(scenario("restore of 1 M dense", 1).rows(1, M).rate(|_| 100.0), figures(3000, 0, 0)),
        same(
            scenario("restore of 500 M dense and a sentinel at 1.9e9", 1)
                .rows(1, 500 * M)
                .rows(1900 * M, 1900 * M)
                .rate(|_| 1000.0)
                .seconds(600),
            figures(30_000, 0, 0).held(&[("far_ids", 19)]),
        ),
        same(
            scenario("prefix of 20 M deleted, 1 M live", 1).rows(20 * M, 21 * M).ever(1, 21 * M).rate(|_| 10.0),
            figures(0, 19_999_699, 300),
        ),
        same(
            scenario("prefix of 50 M deleted, 1 M live", 1).rows(50 * M, 51 * M).ever(1, 51 * M).rate(|_| 10.0),
            figures(0, 0, 36_000).held(&[("far_ids", 120)]),
        ),
        same(
            scenario("the same, and the agent knows 51 M", 1)
                .rows(50 * M, 51 * M)
                .ever(1, 51 * M)
                .rate(|_| 10.0)
                .knows(51 * M + 1),
            figures(0, 49_999_699, 300),
        ),
        same(
            scenario("sessions: 10 M handed out, 5 000 live at the top", 1)
                .rows(10 * M - 5000, 10 * M)
                .ever(1, 10 * M)
                .rate(|_| 10.0),
            figures(0, 9_994_699, 300),
        ),
        same(
            scenario("1 to 200 M, half of it left, in runs of 100", 1)
                .pattern(Pattern::Runs { from: 1, to: 200 * M, period: 200, run: 100 })
                .ever(1, 200 * M)
                .rate(|_| 10.0)
                .seconds(1800),
            figures(200, 99_999_800, 200),
        ),
        differs(
            in_each("1 to 5 M, one in 10 left", 10, 5 * M),
            figures(37, 4_499_777, 267),
            figures(30, 4_499_725, 275),
            OTHER_ROWS,
        ),
        differs(
            in_each("1 to 60 M, one in 100 left", 100, 60 * M),
            figures(2, 59_399_897, 323),
            figures(3, 59_399_700, 300),
            OTHER_ROWS,
        ),
        differs(
            left("1 to 100 M, one in 1 000 left", 1000, 100 * M),
            figures(8, 416_824, 17_992).held(&[("far_ids", 35)]),
            figures(4, 423_505, 17_996).held(&[("far_ids", 14)]),
            OTHER_ROWS,
        ),
        differs(
            left("1 to 100 M, one in 100 000 left", 100_000, 100 * M),
            figures(0, 4829, 18_000).held(&[("far_ids", 59)]),
            figures(0, 0, 18_000).held(&[("far_ids", 60)]),
            OTHER_ROWS,
        ),
        differs(
            in_each("1 to 60 M, one in 100 left, --once", 100, 60 * M).seconds(120).once(),
            figures(11, 456, 1189).held(&[("thin", 4)]),
            figures(11, 248, 1189).held(&[("thin", 4)]),
            OTHER_ROWS,
        ),
        same(
            scenario("prefix of 20 M deleted, 1 M live, --once", 1)
                .rows(20 * M, 21 * M)
                .ever(1, 21 * M)
                .rate(|_| 10.0)
                .seconds(900)
                .once(),
            figures(0, 0, 9000).held(&[("far_ids", 30)]),
        ),
        same(
            scenario("prefix of 5 M deleted, 1 M live, --once", 1)
                .rows(5 * M, 6 * M)
                .ever(1, 6 * M)
                .rate(|_| 10.0)
                .seconds(900)
                .once(),
            figures(0, 0, 9000).held(&[("far_ids", 30)]),
        ),
    ]
}

fn partial_restores() -> Vec<Case> {
    vec![
        same(
            scenario("ids 1 to 300 000 and 2 M to 3 M", 1)
                .rows(1, 300_000)
                .rows(2 * M, 3 * M)
                .ever(1, 3 * M)
                .rate(|_| 10.0),
            figures(300, 1_699_699, 300),
        ),
        same(
            scenario("ids 1 to 300 000, 40 M to 41 M, 400 M to 401 M", 1)
                .rows(1, 300_000)
                .rows(40 * M, 41 * M)
                .rows(400 * M, 401 * M)
                .ever(1, 401 * M)
                .rate(|_| 10.0),
            figures(300, 0, 35_700).held(&[("far_ids", 119)]),
        ),
        same(
            scenario("one of two tables lost: A to 5 M, B had 8 M", 1).rows(1, 5 * M).ever(1, 8 * M).rate(|_| 10.0),
            figures(300, 0, 35_700),
        ),
        same(
            scenario("the same, and the agent knows 8 M", 1)
                .rows(1, 5 * M)
                .ever(1, 8 * M)
                .rate(|_| 10.0)
                .knows(8 * M + 1),
            figures(300, 3_000_000, 0),
        ),
        same(
            scenario("yesterday's backup: rows to 50 M, the agent knows 51.5 M", 1)
                .rows(49 * M, 50 * M)
                .ever(1, 51 * M + 500_000)
                .rate(|_| 10.0)
                .knows(51 * M + 500_001),
            figures(0, 50_499_699, 300),
        ),
    ]
}

fn restarts_and_sessions() -> Vec<Case> {
    let sessions = |name| scenario(name, 900_001).ever(1, 900_000).rate(|_| 5.0);
    vec![
        same(
            scenario("TRUNCATE RESTART IDENTITY at 1.5e9, 1 000 seeds", 1500 * M)
                .rows(1499 * M, 1500 * M - 1)
                .rate(|_| 10.0)
                .at(905, Event::Restart(1000)),
            figures(250, 0, 0),
        ),
        same(
            scenario("TRUNCATE RESTART, 1.2 M of 1.4 M reloaded", 1_400_001)
                .rows(1, 1_400_000)
                .rate(|_| 10.0)
                .at(905, Event::Restart(1_200_000)),
            figures(250, 209_000, 0),
        ),
        same(
            scenario("numbering that restarts each year: key (year, number)", 5322)
                .rows(1, 5321)
                .without_unique_key()
                .at(605, Event::SetNext(1)),
            figures(2995, 0, 0).held(&[("no_unique_key", 100)]),
        ),
        same(
            scenario("failover loses the last 3 000 rows and values", M + 1)
                .rows(1, M)
                .rate(|_| 100.0)
                .at(605, Event::Lose(3000)),
            figures(0, 0, 3000),
        ),
        same(
            scenario("logical failover: rows there, sequence at 1", M + 1)
                .rows(1, M)
                .rate(|_| 100.0)
                .at(605, Event::SetNext(1)),
            figures(2500, 0, 0),
        ),
        same(
            sessions("sessions of 15 minutes, a script sets MAX + 1 back").lifetime(900).seconds(7200).each(
                3605,
                600,
                5,
                |_| Event::SetNextFromMax(-200),
            ),
            figures(625, 0, 0),
        ),
        same(
            sessions("sessions all ended, sequence set to 1")
                .lifetime(60)
                .at(1805, Event::DeleteAll)
                .at(1805, Event::SetNext(1)),
            figures(0, 0, 8975),
        ),
        same(sessions("sessions of 60 s, steady").rate(|_| 50.0).lifetime(60), figures(0, 0, 0)),
        same(
            sessions("sessions: busy, then all ended, then a few")
                .rate(|time| {
                    if time < 600 {
                        50.0
                    } else if time < 1800 {
                        0.0
                    } else {
                        5.0
                    }
                })
                .lifetime(60),
            figures(0, 0, 0),
        ),
    ]
}
