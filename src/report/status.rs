//! What is true of a sequence after the pass, in one word; and when it is running out.

use super::{Outcome, SequenceReport, Verdict};

/// Share of its range, 0 to 1, from which a sequence is reported as running out unless `sequences.warn_used_ratio` says
/// otherwise: in the report, on the page, in the metrics' detail series, and in the alert of
/// `dashboards/prometheus/rules.yml`.
pub const WARN_USED_RATIO: f64 = 0.75;

/// Whether a sequence with this verdict, of whose range `used_ratio` is used, still has values and few of them.
pub fn is_running_out(verdict: Verdict, used_ratio: f64, warn_used_ratio: f64) -> bool {
    verdict != Verdict::Exhausted && used_ratio >= warn_used_ratio
}

/// The status of a sequence, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    Failed,
    Held,
    Exhausted,
    Unreadable,
    Behind,
    /// In sync, and its range ends soon.
    RunningOut,
    Repaired,
    Unsupported,
    Unlinked,
    InSync,
}

impl Status {
    /// The outcome of its repair, or else the verdict.
    pub fn of(sequence: &SequenceReport) -> Self {
        match (sequence.verdict, sequence.outcome()) {
            (_, Some(Outcome::Failed)) => Self::Failed,
            (_, Some(Outcome::Held)) => Self::Held,
            // It was moved, and something stays ahead that a person should look at.
            (_, Some(Outcome::Repaired)) if sequence.held_by().is_some() => Self::Held,
            (_, Some(Outcome::Repaired)) => Self::Repaired,
            (Verdict::Behind, _) => Self::Behind,
            (Verdict::Exhausted, _) => Self::Exhausted,
            (Verdict::Unreadable, _) => Self::Unreadable,
            (Verdict::Unsupported, _) => Self::Unsupported,
            (Verdict::Unlinked, _) => Self::Unlinked,
            (Verdict::InSync, _) if sequence.running_out => Self::RunningOut,
            (Verdict::InSync, _) => Self::InSync,
        }
    }

    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Exhausted => "exhausted",
            Self::Unreadable => "unreadable",
            Self::Behind => "behind",
            Self::RunningOut => "running out",
            Self::Repaired => "repaired",
            Self::Unsupported => "unsupported",
            Self::Unlinked => "unlinked",
            Self::InSync => "in sync",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn from_three_quarters_on_a_sequence_is_running_out_until_it_is_exhausted() {
        assert!(!is_running_out(Verdict::InSync, 0.7499, WARN_USED_RATIO));
        assert!(is_running_out(Verdict::InSync, WARN_USED_RATIO, WARN_USED_RATIO));
        assert!(is_running_out(Verdict::Behind, 0.99, WARN_USED_RATIO));
        assert!(!is_running_out(Verdict::Exhausted, 1.0, WARN_USED_RATIO));
    }

    #[test]
    fn the_alert_fires_at_the_same_ratio() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/dashboards/prometheus/rules.yml");
        let rules = std::fs::read_to_string(path).unwrap();
        let conditions: Vec<&str> =
            rules.lines().filter(|line| line.contains("pgmedic_sequence_used_ratio") && line.contains("< 1")).collect();
        assert!(!conditions.is_empty(), "no condition in {path}");
        for condition in conditions {
            assert!(condition.ends_with(&format!(">= {WARN_USED_RATIO} < 1")), "{condition}");
        }
    }
}
