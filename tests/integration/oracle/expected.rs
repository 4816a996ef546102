//! What the report must say, worked out from nothing but the values that `nextval` returned on a copy.

use super::case::Case;
use serde_json::{Value, json};
use std::collections::HashSet;

/// The settings and rights of a round.
#[derive(Debug, Clone, Copy)]
pub struct Terms {
    pub headroom: usize,
    pub advance_limit: usize,
    pub max_repair_ratio: f64,
    /// The role owns the sequences, and may leap.
    pub owner: bool,
}

#[derive(Debug)]
pub struct Expected {
    /// The finding, without what this oracle does not know.
    pub finding: Value,
    /// What the sequence hands out after the pass; none when it errors.
    pub next: Option<i64>,
}

/// The values of a copy in their order, up to the error if there was one.
#[derive(Debug)]
pub struct Drawn {
    pub values: Vec<i64>,
    /// The one after the last is an error.
    pub ended: bool,
}

impl Drawn {
    /// The value after so many; none when it is an error.
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
        // Nothing is left after `usable`, as far as was drawn.
        let ends = drawn.ended || usable < drawn.values.len();
        let max_id = drawn.values.iter().rposition(|value| ids.contains(&i128::from(*value)));
        let gap = max_id.map_or(0, |last| (last + 1).min(usable));
        let verdict = match (usable, gap) {
            (0, _) => "exhausted",
            (_, 0) => "in_sync",
            _ => "behind",
        };
        let next = drawn.after(0);
        let mut finding = json!({ "verdict": verdict, "lag": gap, "next_value": next, "repair": null });
        if verdict != "behind" {
            return Self { finding, next };
        }
        finding["max_id"] = json!(max_id.map(|last| drawn.values[last]));
        let (repair, next) = repair(case, drawn, terms, gap, ends.then_some(usable));
        finding["repair"] = repair;
        Self { finding, next }
    }
}

/// The repair of a sequence that is behind; `left` values are left, none when they are too many to have been drawn.
fn repair(case: &Case, drawn: &Drawn, terms: Terms, gap: usize, left: Option<usize>) -> (Value, Option<i64>) {
    let held = |method: Option<&str>| {
        (json!({ "outcome": "held", "method": method, "next_value": null }), drawn.values.first().copied())
    };
    // One value must be left.
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
