//! The repair of one sequence in the report: what was done, or why not.

use pgmedic_core::Reason;
use pgmedic_core::sequence::{HoldReason, Method};
use serde::Serialize;

/// What was done about a sequence that is behind.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RepairReport {
    pub outcome: Outcome,
    /// What was used, or would have been.
    pub method: Option<Method>,
    /// The next value when it was looked at again after the repair.
    pub next_value: Option<i64>,
    /// Which guard stopped it, when it is held, or keeps it from going further.
    pub held_by: Option<HoldReason>,
    /// Why the outcome is what it is, or what the repair leaves undone.
    pub reason: Option<Reason>,
    /// Share of the range that is used after the repair, 0 to 1.
    pub used_ratio: Option<f64>,
    /// Values that the allowance paid for; for the repair log.
    #[serde(skip)]
    pub charged: u128,
    /// It passed a block that was not soon met; for the repair log.
    #[serde(skip)]
    pub early: bool,
    /// Moving it and looking again; where many are repaired together, its share.
    pub duration_seconds: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Repaired,
    /// Not tried: a dry run, or repairs are switched off.
    Skipped,
    /// A guard stopped it: `held_by` and `reason`.
    Held,
    Failed,
}

impl RepairReport {
    /// An outcome, the method that was used or meant, and why.
    pub fn new(outcome: Outcome, method: Option<Method>, reason: Option<Reason>) -> Self {
        Self {
            outcome,
            method,
            next_value: None,
            held_by: None,
            reason,
            used_ratio: None,
            charged: 0,
            early: false,
            duration_seconds: 0.0,
        }
    }

    /// A repair that a guard holds.
    pub fn held(by: HoldReason, method: Option<Method>, reason: Reason) -> Self {
        Self { held_by: Some(by), ..Self::new(Outcome::Held, method, Some(reason)) }
    }
}

impl Outcome {
    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::Skipped => "skipped",
            Self::Held => "held",
            Self::Failed => "failed",
        }
    }
}
