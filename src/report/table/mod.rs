//! A report as text for people: the worst first, healthy sequences only counted.
//!
//! | file | what is in it |
//! |---|---|
//! | `cells.rs` | one sequence as the cells of a row |
//! | `fold.rs` | many sequences with the same reason, as one row |
//! | `who.rs` | who was behind the drifts |
//! | `fit.rs` | the rows, as narrow as the terminal |

mod cells;
mod fit;
mod fold;
mod who;

use super::escape::escape_control;
use super::session_lines;
use super::wrap::wrap_pieces;
use super::{DatabaseReport, Report, SequenceReport, Status};
use crate::terminal::{ERROR, paint, use_color};
use cells::Row;
use comfy_table::{Attribute, Cell, CellAlignment, ContentArrangement, Table, presets};
use fit::{Fitted, fit, unlimited};
use fold::{Entry, fold};
use pgmedic_core::{Fix, ReasonKind};
use std::collections::BTreeSet;
use std::fmt::Write;
use std::io::{self, IsTerminal};

/// How to render.
#[derive(Debug, Clone, Copy, Default)]
pub struct TableOptions {
    /// List the healthy sequences too.
    pub verbose: bool,
    pub color: bool,
    /// As wide as the terminal; else as wide as the text.
    pub to_terminal: bool,
}

impl TableOptions {
    /// For standard output.
    pub fn for_stdout(verbose: bool) -> Self {
        let stdout = io::stdout();
        Self { verbose, color: use_color(&stdout), to_terminal: stdout.is_terminal() }
    }
}

/// The whole report.
pub fn render(report: &Report, options: TableOptions) -> String {
    let mut text = String::new();
    for database in &report.databases {
        render_database(&mut text, database, options);
    }
    if report.databases.is_empty() {
        text.push_str("No database to look at.\n");
    }
    text
}

fn render_database(text: &mut String, database: &DatabaseReport, options: TableOptions) {
    let mut rows: Vec<(Status, &SequenceReport)> =
        database.sequences.iter().map(|sequence| (Status::of(sequence), sequence.as_ref())).collect();
    rows.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.lag.cmp(&x.lag)).then_with(|| x.name.cmp(&y.name)));

    // Writing into a String cannot fail.
    let _ = writeln!(text, "{}", headline(database, &rows));
    if let Some(error) = &database.error {
        let _ = writeln!(
            text,
            "  {}",
            paint(&format!("could not be completed: {}", escape_control(&error.to_string())), ERROR, options.color)
        );
    }
    if let Some(nothing) = database.no_sequence.as_ref().filter(|_| database.looked_at_nothing()) {
        let _ = writeln!(text, "  {}", paint(&escape_control(&nothing.to_string()), ERROR, options.color));
    }
    let has_line = |status: Status, sequence: &SequenceReport| {
        options.verbose || status != Status::InSync || sequence.reasons().next().is_some()
    };
    let shown: Vec<_> = rows.into_iter().filter(|(status, sequence)| has_line(*status, sequence)).collect();
    let entries = match options.verbose {
        true => shown.iter().map(|(status, sequence)| Entry::One(*status, sequence)).collect(),
        false => fold(&shown),
    };
    let lines: Vec<Row> = entries
        .iter()
        .map(|entry| match entry {
            Entry::One(status, sequence) => Row::of(*status, sequence),
            Entry::Many(status, members) => Row::folded(*status, members.len()),
        })
        .collect();
    // None where there is no terminal: then lines are as long as their text.
    let width = if options.to_terminal { Table::new().width().map(usize::from) } else { None };
    if !lines.is_empty() {
        let fitted = width.map_or_else(|| unlimited(&lines), |width| fit(&lines, width));
        let left_out: Vec<&str> = fitted.left_out.iter().map(|column| column.heading()).collect();
        let _ = writeln!(text, "\n{}", table(fitted, &lines, options).trim_fmt());
        if !left_out.is_empty() {
            let _ = writeln!(text, "  not shown in so narrow a terminal: {}", left_out.join(", "));
        }
    }
    if !database.sessions.is_empty() {
        let lines: Vec<String> =
            database.sessions.iter().map(|store| format!("  {}", session_lines::summary_line(store))).collect();
        let _ = writeln!(text, "\n  sessions\n{}", lines.join("\n"));
    }
    let reasons_of_stores = database.sessions.iter().flat_map(session_lines::reasons);
    let reasons: Vec<String> = entries
        .iter()
        .filter_map(|entry| match entry {
            Entry::One(_, sequence) => reasons(sequence),
            Entry::Many(_, members) => Some(fold::line(members)),
        })
        .chain(who::lines(shown.iter().map(|(_, sequence)| *sequence)))
        .chain(reasons_of_stores)
        .map(|reason| match width {
            Some(width) => wrap_pieces(reason.split(' '), " ", 2, width),
            None => format!("  {reason}"),
        })
        .collect();
    if !reasons.is_empty() {
        let _ = writeln!(text, "\n{}", reasons.join("\n"));
    }
    let feeds: BTreeSet<&str> = shown.iter().flat_map(|(_, sequence)| sequence.feeds_to_declare()).collect();
    if !feeds.is_empty() {
        let _ = writeln!(text, "\n  To declare links, put those that are right into the configuration file:\n");
        for line in feeds.iter().flat_map(|toml| toml.lines()) {
            let _ = writeln!(text, "  {}", escape_control(line));
        }
    }
    text.push('\n');
}

/// `app (PostgreSQL 15.18): 214 sequences, 1 repaired, 213 in sync, looked at in 12 ms`
fn headline(database: &DatabaseReport, rows: &[(Status, &SequenceReport)]) -> String {
    let mut line = escape_control(&database.name).into_owned();
    let Some(version) = &database.server_version else { return line + ": not reached" };
    let number = rows.len() + database.unlisted;
    let _ = write!(
        line,
        " (PostgreSQL {}): {number} sequence{}",
        escape_control(version),
        if number == 1 { "" } else { "s" }
    );
    for same in rows.chunk_by(|(a, _), (b, _)| a == b) {
        if let [(status, _), ..] = same {
            let _ = write!(line, ", {} {}", same.len(), status.word());
        }
    }
    if database.unlisted > 0 {
        let _ = write!(line, ", {} more that feed nothing and are not looked at", database.unlisted);
    }
    let _ = write!(line, ", looked at in {:.0} ms", database.duration_seconds * 1000.0);
    line
}

fn table(fitted: Fitted, rows: &[Row], options: TableOptions) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    // The texts are broken already.
    table.set_content_arrangement(ContentArrangement::Disabled);
    if !options.to_terminal {
        table.force_no_tty();
    }
    if options.color {
        table.enforce_styling();
    }
    table.set_header(fitted.headings);
    for (index, _) in fitted.columns.iter().enumerate().filter(|(_, column)| column.is_number()) {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (row, cells) in rows.iter().zip(fitted.rows) {
        let mut cells: Vec<Cell> = cells.into_iter().map(Cell::new).collect();
        if let (true, Some(color), Some(word)) = (options.color, row.status.color(), cells.first_mut()) {
            *word = word.clone().fg(color).add_attribute(Attribute::Bold);
        }
        table.add_row(cells);
    }
    table
}

/// A line with the reasons and their fixes; none where there are none. That nothing was repaired is in the table already.
fn reasons(sequence: &SequenceReport) -> Option<String> {
    let reasons: Vec<String> = sequence
        .reasons()
        .filter(|reason| reason.kind != ReasonKind::RepairDisabled)
        .map(|reason| match reason.fix {
            // A table takes several lines, and comes at the end.
            Some(Fix::Configuration(_)) => escape_control(&reason.text).into_owned(),
            _ => escape_control(&reason.to_string()).into_owned(),
        })
        .collect();
    (!reasons.is_empty()).then(|| format!("{}: {}", escape_control(&sequence.name), reasons.join("; ")))
}
