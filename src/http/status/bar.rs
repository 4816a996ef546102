//! A sequence's range as a bar: the used part, and the max id that the next value has yet to pass.

use crate::report::{SequenceReport, Status};
use maud::{Markup, html};

/// Narrowest visible bar, in percent.
const THINNEST: f64 = 0.8;

/// Used ratio from which the bar is red.
const NEARLY_FULL: f64 = 0.9;

/// Drawn from the numbers beside it; screen readers skip it.
pub fn bar(sequence: &SequenceReport) -> Markup {
    let Some(used) = sequence.used_after_pass() else { return html! {} };
    let width = if used > 0.0 { (used * 100.0).clamp(THINNEST, 100.0) } else { 0.0 };
    let fill = if used >= NEARLY_FULL {
        "fill bad"
    } else if sequence.running_out {
        "fill warn"
    } else {
        "fill"
    };
    html! {
        svg .bar viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" {
            rect .range width="100" height="6" rx="1" {}
            rect class=(fill) width=(format!("{width:.2}")) height="6" rx="1" {}
            @if let Some(at) = max_id_position(sequence) {
                rect .max-id x=(format!("{:.2}", (at * 100.0).clamp(0.0, 98.8))) width="1.2" height="6" {}
            }
        }
    }
}

/// Where the max id lies in the range, 0 to 1; none unless it lies ahead.
fn max_id_position(sequence: &SequenceReport) -> Option<f64> {
    // The report has the state before the repair, which has passed the max id.
    if Status::of(sequence) == Status::Repaired || sequence.lag? == 0 {
        return None;
    }
    let (next, max_id, limit) = (sequence.next_value?, sequence.max_id?, sequence.limit?);
    let used = sequence.used_ratio?;
    let distance = |to: i64| (to as f64 - next as f64).abs();
    (distance(limit) > 0.0).then(|| used + (1.0 - used) * distance(max_id) / distance(limit))
}

/// `12.5 %`.
pub fn percent(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.001 { "<0.1\u{a0}%".to_owned() } else { format!("{:.1}\u{a0}%", ratio * 100.0) }
}
