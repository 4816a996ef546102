//! Scenarios as a table: what each costs, beside the figures of a simulator that the rules were chosen with.
//!
//! The simulator passed a block early with one id in 5 000 and charged it, as the judgement does. Where ours differs the
//! case says why.
//!
//! An earlier proposal passed a block early with one id in 1 000, and free of charge where it held
//! a tenth of the values before it. What that changes, as failed / burnt / handed out again:
//!
//! | scenario | proposal | now |
//! |---|---|---|
//! | sessions: 10 M handed out, 5 000 live at the top | 0 / 0 / 36 000 | 0 / 10.0 M / 300 |
//! | prefix of 5 M deleted, 1 M live, --once | 0 / 5.0 M / 300 | 0 / 0 / 9 000 |
//! | 70 000 a second towards 50 M to 52 M, --once every 30 s | 0 / 18.5 M / 0 | 400 001 / 0 / 0 |
//! | 1 to 100 M, one in 100 000 left | 0 / 929 / 18 000 | 0 / 4 829 / 18 000 |
//! | 10 000 ids hashed over int4 | 0 / 1 966 / 0 | 0 / 5 866 / 0 |
//! | 1 M ids hashed over int4 | 1 / 166 / 0 | 2 / 6 258 / 0 |
//! | 100 M dense, then 1 M hashed beyond | 301 / 849 / 0 | 301 / 2 432 / 0 |
//! | 1 M ids spread over int4, one in 2 140 | 0 / 699 / 0 | 0 / 1 699 / 0 |

mod attacks;
mod edges;
mod imports;
mod restores;

use super::play::{Outcome, play};
use super::scenario::Scenario;

/// Whether a stretch with 3 of 100 values taken counts as dense is left to chance, and other values are drawn here.
const OTHER_DRAWS: &str = "other values are drawn";
/// The ids are random, and other ones here.
const OTHER_ROWS: &str = "other ids are left at random";

/// Failed and refused inserts, values burnt and handed out again, and passes that held something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Figures {
    failed: i128,
    exhausted: i128,
    burnt: i128,
    reissued: i128,
    held: &'static [(&'static str, u32)],
}

const fn figures(failed: i128, burnt: i128, reissued: i128) -> Figures {
    Figures { failed, exhausted: 0, burnt, reissued, held: &[] }
}

impl Figures {
    const fn held(self, held: &'static [(&'static str, u32)]) -> Self {
        Self { held, ..self }
    }

    const fn exhausted(self, exhausted: i128) -> Self {
        Self { exhausted, ..self }
    }

    fn matches(&self, outcome: &Outcome) -> bool {
        self.failed == outcome.failed
            && self.exhausted == outcome.exhausted
            && self.burnt == outcome.burnt
            && self.reissued == outcome.reissued
            && self.held == outcome.held
    }
}

struct Case {
    scenario: Scenario,
    simulator: Figures,
    /// None where it is the simulator's; else what it is, and why.
    ours: Option<(Figures, &'static str)>,
}

fn same(scenario: Scenario, simulator: Figures) -> Case {
    Case { scenario, simulator, ours: None }
}

fn differs(scenario: Scenario, simulator: Figures, ours: Figures, why: &'static str) -> Case {
    Case { scenario, simulator, ours: Some((ours, why)) }
}

/// Plays all of them and tells every one that is off, not only the first.
fn compare(cases: Vec<Case>) {
    let mut off = Vec::new();
    for Case { scenario, simulator, ours } in cases {
        let name = scenario.name;
        let (limit, first, once) = (scenario.limit, scenario.first, scenario.mode == super::scenario::Mode::Once);
        let outcome = play(scenario);
        let expected = ours.map_or(simulator, |(figures, _)| figures);
        if !expected.matches(&outcome) {
            off.push(format!("{name}: expected {expected:?}, was {outcome:?}"));
        }
        assert!(ours.is_none_or(|(figures, why)| figures != simulator && !why.is_empty()), "{name} is the same");
        let range = (limit - first + 1).min(1 << 31);
        assert!(once || outcome.charged <= u128::try_from(range / 20).unwrap(), "{name}: {} charged", outcome.charged);
    }
    assert!(off.is_empty(), "{} off:\n{}", off.len(), off.join("\n"));
}
