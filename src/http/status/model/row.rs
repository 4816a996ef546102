//! One row of the table of sequences.

use crate::http::status::page_level::PageLevel;
use crate::report::{Level, Outcome, SequenceReport, Verdict};
use crate::state::{LastRepair, Observed};

/// A sequence that was repaired this recently, in seconds, is listed as repaired.
const RECENT: f64 = 24.0 * 3600.0;

/// How a sequence is listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RowState {
    Level(Level),
    /// Healthy, and repaired within 24 hours.
    Repaired,
    /// It feeds no column that is known, or a rule says to observe it only.
    NotJudged,
}

impl RowState {
    pub fn of(sequence: &SequenceReport, last_repair: Option<LastRepair>, now: f64) -> Self {
        match Level::of(sequence) {
            Level::Healthy if is_not_judged(sequence) => Self::NotJudged,
            Level::Healthy
                if sequence.outcome() == Some(Outcome::Repaired)
                    || last_repair.is_some_and(|repair| now - repair.at < RECENT) =>
            {
                Self::Repaired
            }
            level => Self::Level(level),
        }
    }

    pub fn word(self) -> &'static str {
        match self {
            Self::Level(level) => PageLevel::from(level).word(),
            Self::Repaired => "Repaired",
            Self::NotJudged => "Not judged",
        }
    }

    pub fn icon(self) -> &'static str {
        match self {
            Self::Level(level) => PageLevel::from(level).icon(),
            Self::Repaired => "repaired",
            Self::NotJudged => "standby",
        }
    }

    pub fn class(self) -> &'static str {
        match self {
            Self::Level(level) => PageLevel::from(level).class(),
            Self::Repaired => "healthy",
            Self::NotJudged => "idle",
        }
    }

    /// Whether it is only a quiet line.
    pub fn is_quiet(self) -> bool {
        !matches!(self, Self::Level(Level::Failing | Level::Unknown | Level::Soon | Level::Decision))
    }
}

/// Whether nothing is said of its inserts: no column is known that it feeds, or a rule says to observe it only.
pub fn is_not_judged(sequence: &SequenceReport) -> bool {
    sequence.observed_only || sequence.verdict == Verdict::Unlinked && !sequence.needs_attention()
}

/// For how many days the values last at the present pace, where that is known.
pub fn days_left(sequence: &SequenceReport) -> Option<f64> {
    if sequence.verdict == Verdict::Exhausted { Some(0.0) } else { sequence.days_left }
}

/// A row, with what the columns show.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    pub database: &'a str,
    pub sequence: &'a SequenceReport,
    pub state: RowState,
    pub last_repair: Option<LastRepair>,
}

impl<'a> Row<'a> {
    pub fn of(database: &'a str, sequence: &'a SequenceReport, observed: &Observed, now: f64) -> Self {
        let last_repair = observed.last_repair(&sequence.name);
        Self { database, sequence, state: RowState::of(sequence, last_repair, now), last_repair }
    }

    /// The lag that is left after the pass.
    pub fn lag(&self) -> Option<u128> {
        match self.sequence.outcome() {
            Some(Outcome::Repaired) => Some(0),
            _ => self.sequence.lag,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::model::test_support::*;

    #[test]
    fn for_a_day_a_sequence_is_listed_as_repaired() {
        let sequence = in_sync("public.a_id_seq");
        let repaired = |ago: f64| Some(LastRepair { at: NOW - ago, cause: None });
        assert_eq!(RowState::of(&sequence, None, NOW), RowState::Level(Level::Healthy));
        assert_eq!(RowState::of(&sequence, repaired(60.0), NOW), RowState::Repaired);
        assert_eq!(RowState::of(&sequence, repaired(RECENT + 1.0), NOW), RowState::Level(Level::Healthy));
        // What needs attention now counts for more.
        assert_eq!(RowState::of(&behind("public.a_id_seq"), repaired(60.0), NOW), RowState::Level(Level::Failing));
    }

    #[test]
    fn a_sequence_that_feeds_nothing_is_not_healthy() {
        let lonely = SequenceReport::new("public.lonely".to_owned(), Vec::new(), Verdict::Unlinked);
        assert_eq!(RowState::of(&lonely, None, NOW), RowState::NotJudged);
    }
}
