//! The scenarios of the design's simulator, as a table: what each costs, beside the simulator's figures.
//!
//! The simulator's column is its design with one id in 5 000 for an early pass and every early pass charged, as the
//! design has it. Where ours differs the case says why.

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
