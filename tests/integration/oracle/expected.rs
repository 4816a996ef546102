//! The expected report, derived only from the values that `nextval` returned on a copy of the sequence.

use super::case::Case;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The settings and privileges of a round.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub headroom: usize,
    pub advance_limit: usize,
    pub max_repair_ratio: f64,
    /// The role owns the sequences, so it may leap.
    pub owner: bool,
}

#[derive(Debug)]
pub struct Expected {
    /// The expected finding, without the fields that this oracle does not predict.
    pub finding: Value,
    /// The value that `nextval` returns after the pass. `None` for an error.
    pub next: Option<i64>,
    /// The ids reach the last usable values: how much of them is passed is not predicted.
    pub near_limit: bool,
}

/// The values of a copy in order, up to the first error.
#[derive(Debug)]
pub struct Drawn {
    pub values: Vec<i64>,
    /// Whether an error follows the last value.
    pub ended: bool,
}

impl Drawn {
    /// The value at this position. `None` for an error.
    fn after(&self, number: usize) -> Option<i64> {
        let value = self.values.get(number).copied();
        assert!(value.is_some() || self.ended, "the oracle drew too few: {number} of {self:?}");
        value
    }
}

impl Expected {
    pub fn of(case: &Case, drawn: &Drawn, terms: Terms) -> Self {
        let ids: HashSet<i128> = case.whole_ids().collect();
        let usable = drawn.values.iter().take_while(|value| case.storable(**value)).count();
        // Whether no value is left after `usable`, as far as values were drawn.
        let ends = drawn.ended || usable < drawn.values.len();
        // What a column cannot hold fails before it is met.
        let max_id = drawn.values[..usable].iter().rposition(|value| ids.contains(&i128::from(*value)));
        let gap = max_id.map_or(0, |last| (last + 1).min(usable));
        let verdict = match (usable, gap) {
            (0, _) => "exhausted",
            (_, 0) => "in_sync",
            _ => "behind",
        };
        let next = drawn.after(0);
        let mut finding = json!({ "verdict": verdict, "next_value": next });
        if verdict != "behind" {
            finding["lag"] = json!(0);
            finding["repair"] = json!(null);
            return Self { finding, next, near_limit: false };
        }
        if ends && gap + 1 >= usable {
            return Self { finding, next, near_limit: true };
        }
        finding["lag"] = json!(gap);
        finding["max_id"] = json!(max_id.map(|last| drawn.values[last]));
        let (repair, next) = repair(case, drawn, terms, gap, ends.then_some(usable));
        finding["repair"] = repair;
        Self { finding, next, near_limit: false }
    }
}

/// The expected repair of a sequence that is behind. `left` is the number of values left, and `None` if there are too
/// many to have been drawn.
fn repair(case: &Case, drawn: &Drawn, terms: Terms, gap: usize, left: Option<usize>) -> (Value, Option<i64>) {
    let held = |method: Option<&str>| {
        (json!({ "outcome": "held", "method": method, "next_value": null }), drawn.values.first().copied())
    };
    // One value must be left after the repair.
    let Some(spare) = left.unwrap_or(usize::MAX).checked_sub(gap + 1) else { return held(None) };
    let allowed = left.map_or(usize::MAX, |left| (left as f64 * terms.max_repair_ratio) as usize);
    let values = gap + terms.headroom.min(spare).min(allowed.saturating_sub(gap));
    let near = values <= terms.advance_limit;
    let leap = terms.owner && (case.cache > 1 || !near);
    if left.is_some_and(|left| values as f64 / left as f64 > terms.max_repair_ratio) {
        return held(Some(if leap || !near { "leap" } else { "advance" }));
    }
    if leap {
        return (
            json!({ "outcome": "repaired", "method": "leap", "next_value": drawn.after(values) }),
            drawn.after(values),
        );
    }
    if !near {
        return held(Some("leap"));
    }
    // A session takes whole caches.
    let cache = usize::try_from(case.cache).unwrap();
    let next = drawn.after(values.div_ceil(cache) * cache);
    let usable = next.is_some_and(|next| case.storable(next));
    let outcome = if usable { "repaired" } else { "failed" };
    (json!({ "outcome": outcome, "method": "advance", "next_value": next }), next)
}
