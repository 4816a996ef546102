//! Makes the rows as narrow as a terminal: headings and repairs are broken between words, names between their parts and
//! then in the middle, and columns are left out last. It stays a table.

use super::super::wrap::wrap_name;
use super::cells::{Column, Row};
use unicode_width::UnicodeWidthStr;

/// Spaces around a cell, left and right together.
const PADDING: usize = 2;
/// Room for names, below which names share a column, and below which a column is left out.
const COMFORTABLE: usize = 24;
const NARROWEST: usize = 18;
/// The least important first.
const LEFT_OUT: [Column; 4] = [Column::Used, Column::MaxId, Column::NextValue, Column::Lag];

/// Headings and rows that fit.
#[derive(Debug)]
pub(super) struct Fitted {
    pub columns: Vec<Column>,
    pub headings: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub left_out: Vec<Column>,
}

/// The rows as they are.
pub(super) fn unlimited(rows: &[Row]) -> Fitted {
    let columns = Column::ALL.to_vec();
    let headings = columns.iter().map(|column| column.heading().to_owned()).collect();
    let rows = rows.iter().map(|row| row.cells.to_vec()).collect();
    Fitted { columns, headings, rows, left_out: Vec::new() }
}

/// The rows in at most `width` columns of a terminal.
pub(super) fn fit(rows: &[Row], width: usize) -> Fitted {
    let fitted = unlimited(rows);
    if fitted.width() <= width {
        return fitted;
    }
    let mut columns = Column::ALL.to_vec();
    let fixed = |columns: &[Column]| -> usize {
        columns.iter().filter(|column| !is_name(**column)).map(|column| narrow_width(rows, *column) + PADDING).sum()
    };
    let names = width.saturating_sub(fixed(&columns) + 2 * PADDING);
    let (sequence, feeds) = (natural(rows, Column::Sequence), natural(rows, Column::Feeds));
    if names >= sequence.min(COMFORTABLE) + feeds.min(COMFORTABLE) {
        // The shorter one takes what it needs, and the other one the rest.
        let sequence = sequence.min(names / 2).max(names.saturating_sub(feeds));
        return broken(rows, columns, sequence, names - sequence, Vec::new());
    }
    // The feeds below the sequence.
    columns.retain(|column| *column != Column::Feeds);
    let mut left_out = Vec::new();
    let mut names = width.saturating_sub(fixed(&columns) + PADDING);
    for column in LEFT_OUT {
        if names >= NARROWEST.min(sequence) {
            break;
        }
        columns.retain(|kept| *kept != column);
        left_out.push(column);
        names = width.saturating_sub(fixed(&columns) + PADDING);
    }
    broken(rows, columns, names.max(NARROWEST / 2), 0, left_out)
}

/// The rows with names of these widths; without a width for feeds, they stand below the sequence.
fn broken(rows: &[Row], columns: Vec<Column>, sequence: usize, feeds: usize, left_out: Vec<Column>) -> Fitted {
    let cell = |row: &Row, column: Column| match column {
        Column::Sequence if feeds == 0 => {
            let feeds = row
                .cell(Column::Feeds)
                .lines()
                .map(|feed| format!("  {}", wrap_name(feed, sequence - 2).replace('\n', "\n  ")));
            let lines = std::iter::once(wrap_name(row.cell(Column::Sequence), sequence)).chain(feeds);
            lines.collect::<Vec<_>>().join("\n")
        }
        Column::Sequence => wrap_name(row.cell(column), sequence),
        Column::Feeds => row.cell(column).lines().map(|feed| wrap_name(feed, feeds)).collect::<Vec<_>>().join("\n"),
        Column::Repair => at_words(row.cell(column)),
        _ => row.cell(column).to_owned(),
    };
    let headings = columns.iter().map(|column| at_words(column.heading())).collect();
    let rows = rows.iter().map(|row| columns.iter().map(|column| cell(row, *column)).collect()).collect();
    Fitted { columns, headings, rows, left_out }
}

impl Fitted {
    fn width(&self) -> usize {
        let of = |index: usize| {
            let cells = self.rows.iter().map(|row| row[index].as_str());
            cells.chain([self.headings[index].as_str()]).map(widest_line).max().unwrap_or(0) + PADDING
        };
        (0..self.columns.len()).map(of).sum()
    }
}

fn is_name(column: Column) -> bool {
    matches!(column, Column::Sequence | Column::Feeds)
}

fn natural(rows: &[Row], column: Column) -> usize {
    let cells = rows.iter().map(|row| widest_line(row.cell(column)));
    cells.chain([column.heading().len()]).max().unwrap_or(0)
}

/// The width of a column whose heading, and repairs, are broken between words.
fn narrow_width(rows: &[Row], column: Column) -> usize {
    let cells = rows.iter().map(|row| match column {
        Column::Repair => widest_line(&at_words(row.cell(column))),
        _ => widest_line(row.cell(column)),
    });
    cells.chain([widest_line(&at_words(column.heading()))]).max().unwrap_or(0)
}

fn widest_line(text: &str) -> usize {
    text.lines().map(UnicodeWidthStr::width).max().unwrap_or(0)
}

/// Broken after the first word: `advance to 696` has its number with the preposition.
fn at_words(text: &str) -> String {
    text.replacen(' ', "\n", 1)
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
