//! One sequence as the cells of a row.

use super::super::escape::escape_control;
use super::super::{Outcome, SequenceReport, Status};
use comfy_table::Color;
use pgmedic_core::sequence::FeedReport;

/// The columns, from left to right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Status,
    Sequence,
    Feeds,
    NextValue,
    MaxId,
    Lag,
    Used,
    Repair,
}

impl Column {
    pub(super) const ALL: [Self; 8] =
        [Self::Status, Self::Sequence, Self::Feeds, Self::NextValue, Self::MaxId, Self::Lag, Self::Used, Self::Repair];

    pub(super) fn heading(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Sequence => "sequence",
            Self::Feeds => "feeds",
            Self::NextValue => "next value",
            Self::MaxId => "max id",
            Self::Lag => "lag",
            Self::Used => "used",
            Self::Repair => "repair",
        }
    }

    pub(super) fn is_number(self) -> bool {
        matches!(self, Self::NextValue | Self::MaxId | Self::Lag | Self::Used)
    }
}

/// A row of the table: of one sequence, or of many with the same reason.
#[derive(Debug)]
pub(super) struct Row {
    pub status: Status,
    /// One text for each of [`Column::ALL`]; lines are separated by a newline.
    pub cells: [String; 8],
}

impl Row {
    pub(super) fn of(status: Status, sequence: &SequenceReport) -> Self {
        let cells = [
            status.word().to_owned(),
            escape_control(&sequence.name).into_owned(),
            feeds(sequence),
            number(sequence.next_value),
            number(sequence.max_id),
            number(sequence.lag),
            sequence.used_ratio.map_or_else(String::new, percent),
            repair(sequence),
        ];
        Self { status, cells }
    }

    /// A row that stands for this many sequences.
    pub(super) fn folded(status: Status, sequences: usize) -> Self {
        let mut cells = [const { String::new() }; 8];
        cells[Column::Status as usize] = status.word().to_owned();
        cells[Column::Sequence as usize] = format!("{sequences} sequences");
        Self { status, cells }
    }

    pub(super) fn cell(&self, column: Column) -> &str {
        &self.cells[column as usize]
    }
}

fn feeds(sequence: &SequenceReport) -> String {
    /// Feeds shown of one sequence.
    const SHOWN: usize = 3;
    let line = |feed: &FeedReport| {
        let column = escape_control(&feed.column);
        if feed.followed.is_some() { format!("{column} (followed)") } else { column.into_owned() }
    };
    let mut lines: Vec<String> = sequence.feeds.iter().take(SHOWN).map(line).collect();
    if sequence.feeds.len() > SHOWN {
        lines.push(format!("and {} more", sequence.feeds.len() - SHOWN));
    }
    lines.join("\n")
}

fn repair(sequence: &SequenceReport) -> String {
    let Some(repair) = &sequence.repair else { return String::new() };
    let method = match repair.method {
        Some(pgmedic_core::sequence::Method::Advance) => "advance",
        Some(pgmedic_core::sequence::Method::Leap) => "leap",
        None => "",
    };
    match (repair.outcome, repair.next_value) {
        (Outcome::Repaired, Some(next)) => format!("{method} to {next}"),
        (Outcome::Repaired, None) => method.to_owned(),
        (Outcome::Skipped, _) => format!("would {method}"),
        (Outcome::Held, _) => "held".to_owned(),
        (Outcome::Failed, _) => format!("{method} failed"),
    }
}

fn number(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn percent(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.001 { "<0.1 %".to_owned() } else { format!("{:.1} %", ratio * 100.0) }
}

impl Status {
    pub(super) fn color(self) -> Option<Color> {
        match self {
            Self::Failed | Self::Exhausted => Some(Color::Red),
            Self::Held | Self::Unreadable | Self::Behind | Self::RunningOut => Some(Color::Yellow),
            Self::Repaired | Self::InSync => Some(Color::Green),
            Self::Unsupported | Self::Unlinked => None,
        }
    }
}
