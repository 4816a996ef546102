//! Public bug reports, small ranges and mistakes in the configuration.

use super::super::rows::every;
use super::super::scenario::{Event, INT2, INT4, INT8, M, scenario};
use super::{Case, OTHER_DRAWS, compare, differs, figures, same};

#[test]
fn public_cases_cost_what_the_simulator_says() {
    compare(cases());
}

#[test]
fn small_ranges_and_mistakes_cost_what_the_simulator_says() {
    compare(small_ranges());
}

fn cases() -> Vec<Case> {
    let held = figures(0, 0, 0).held(&[("far_ids", 120)]);
    let mut passing = scenario("sentinels one after another, deleted again", 501).rows(1, 500);
    for (nth, id) in (0_i64..).zip([999_999_999, 1500 * M, 1800 * M, 1970 * M, 2000 * M]) {
        passing = passing.at(60 + 300 * nth, Event::Put(id, id)).at(200 + 300 * nth, Event::Remove(id, id));
    }
    let bigint = |name, from: i128, to| scenario(name, 1001).limit(INT8).rows(1, 1000).rows(from, to);
    let per_tenant = |name| scenario(name, 21).limit(INT8).rows(1, 20).pattern(every(50_001, 5 * M, 50_000));
    let hilo = |name| scenario(name, 4).limit(INT8).rows(50, 199).rate(|_| 0.2).seconds(1800).hilo();
    let int4_half = i128::from(i32::MIN);
    vec![
        same(scenario("sentinel 999999999", 501).rows(1, 500).rows(999_999_999, 999_999_999), held),
        same(passing, figures(0, 0, 0).held(&[("far_ids", 25)])),
        same(
            scenario("ten rows at 9e9, keys referenced as int4", 1001).rows(1, 1000).rows(9000 * M, 9000 * M + 9),
            figures(0, 0, 0),
        ),
        same(bigint("ten rows at 9e9", 9000 * M + 1, 9000 * M + 10), held),
        same(bigint("Citus worker's range", (1 << 48) + 1, (1 << 48) + 20), held),
        same(bigint("staging table at 5e10", 50_000 * M, 50_000 * M + 99), held),
        same(
            per_tenant("numbers for each tenant, key (tenant, number)").without_unique_key(),
            figures(0, 0, 0).held(&[("no_unique_key", 120)]),
        ),
        same(per_tenant("numbers for each tenant, unique alone"), held),
        same(
            scenario("negative half, to buy time", int4_half + 12)
                .first(int4_half)
                .rows(int4_half + 1, int4_half + 11)
                .rows(2_147_483_000, INT4),
            held,
        ),
        same(scenario("int4 to bigint swap", 2_147_483_661).limit(INT8).rows(1, 2_147_483_670), figures(10, 0, 0)),
        same(hilo("undeclared hi/lo, agent"), figures(0, 24_534, 0).held(&[("far_ids", 58)])),
        same(hilo("undeclared hi/lo, --once").once(), figures(0, 24_534, 0).held(&[("far_ids", 58)])),
    ]
}

fn small_ranges() -> Vec<Case> {
    let int2 = |name, next| scenario(name, next).limit(INT2).rows(1, next - 1).rate(|_| 0.1);
    vec![
        same(int2("smallint, restore of 1 to 1 000", 1).rows(1, 1000), figures(3, 0, 0)),
        same(int2("smallint, sentinel 9999", 501).rows(9999, 9999), figures(0, 0, 0).held(&[("far_ids", 120)])),
        differs(
            int2("smallint, every 40th id", 101).pattern(every(140, INT2, 40)).rate(|_| 0.05).seconds(7200),
            figures(0, 1950, 0).held(&[("thin", 51), ("budget", 189)]),
            figures(0, 1638, 0).held(&[("thin", 51), ("budget", 189)]),
            OTHER_DRAWS,
        ),
        differs(
            scenario("int4, 200 ids left, one at the bound", INT4 - 200)
                .rows(1, INT4 - 201)
                .rows(INT4, INT4)
                .rate(|_| 0.1),
            figures(0, 197, 0).exhausted(357),
            figures(1, 0, 0).exhausted(159).held(&[("limit", 66)]),
            "past the id at the bound no value is left, so the 197 before it are kept and used",
        ),
        same(
            scenario("MAXVALUE 100, drift of 5", 1).limit(100).rows(1, 5).rows(90, 90).rate(|_| 0.01),
            figures(0, 0, 0).held(&[("far_ids", 119)]),
        ),
        differs(
            scenario("max_id stated too low: 1 000 of 100 000", 501)
                .limit(1000)
                .rows(1, 500)
                .rows(900, 1000)
                .seconds(1200),
            figures(0, 9, 0).exhausted(810).held(&[("far_ids", 12)]),
            figures(101, 0, 0).exhausted(700).held(&[("far_ids", 12), ("limit", 4)]),
            "the block ends at the stated limit: nothing lies beyond it, so nothing is burnt",
        ),
        same(scenario("pooled ids declared as a residue", 1).limit(INT4 / 50).rows(1, 20), figures(20, 0, 0)),
    ]
}
