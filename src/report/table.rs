//! A report as text for people: the worst first, healthy sequences only counted.

use super::escape::escape_control;
use super::session_lines;
use super::wrap::wrap_pieces;
use super::{DatabaseReport, Outcome, Report, SequenceReport, Status};
use crate::terminal::{ERROR, paint, use_color};
use anstyle::AnsiColor;
use comfy_table::{Attribute, Cell, CellAlignment, Color, Table, presets};
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
    /// Lines instead of a table where the terminal is too narrow for one; else as wide as the text.
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
    let table = table(&shown, options);
    // The terminal's width; None where there is no terminal.
    let width = if options.to_terminal { table.width().map(usize::from) } else { None };
    let too_narrow = width.filter(|width| *width < natural_width(&table));
    if !shown.is_empty() {
        let _ = match too_narrow {
            Some(width) => writeln!(text, "\n{}", narrow_list(&shown, width, options)),
            None => writeln!(text, "\n{}", table.trim_fmt()),
        };
    }
    if !database.sessions.is_empty() {
        let lines: Vec<String> =
            database.sessions.iter().map(|store| format!("  {}", session_lines::summary_line(store))).collect();
        let _ = writeln!(text, "\n  sessions\n{}", lines.join("\n"));
    }
    let reasons_of_stores = database.sessions.iter().flat_map(session_lines::reasons);
    let reasons: Vec<String> = shown
        .iter()
        .filter_map(|(_, sequence)| reasons(sequence))
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
    let number = rows.len();
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
    let _ = write!(line, ", looked at in {:.0} ms", database.duration_seconds * 1000.0);
    line
}

fn table(rows: &[(Status, &SequenceReport)], options: TableOptions) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    if !options.to_terminal {
        table.force_no_tty();
    }
    if options.color {
        table.enforce_styling();
    }
    table.set_header(["status", "sequence", "feeds", "next value", "max id", "lag", "used", "repair"]);
    for column in 3..7 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for (status, sequence) in rows {
        let mut word = Cell::new(status.word());
        if let (true, Some(color)) = (options.color, status.color()) {
            word = word.fg(color).add_attribute(Attribute::Bold);
        }
        table.add_row([
            word,
            Cell::new(escape_control(&sequence.name)),
            Cell::new(feeds(sequence)),
            Cell::new(number(sequence.next_value)),
            Cell::new(number(sequence.max_id)),
            Cell::new(number(sequence.lag)),
            Cell::new(sequence.used_ratio.map_or_else(String::new, percent)),
            Cell::new(repair(sequence)),
        ]);
    }
    table
}

fn natural_width(table: &Table) -> usize {
    /// Columns of padding around a cell, left and right together.
    const PADDING: usize = 2;
    table.column_max_content_widths().into_iter().map(|width| usize::from(width) + PADDING).sum()
}

/// The same content as the table's, as lines for a terminal that is too narrow for a table.
fn narrow_list(rows: &[(Status, &SequenceReport)], width: usize, options: TableOptions) -> String {
    let words = rows.iter().map(|(status, _)| status.word().len()).max().unwrap_or_default();
    let entries = rows.iter().map(|(status, sequence)| {
        let of = |what: &str, value: String| (!value.is_empty()).then(|| format!("{what}{value}"));
        let names =
            [Some(escape_control(&sequence.name).into_owned()), of("feeds ", feeds(sequence).replace('\n', ", "))];
        let facts = [
            of("next value ", number(sequence.next_value)),
            of("max id ", number(sequence.max_id)),
            of("lag ", number(sequence.lag)),
            of("used ", sequence.used_ratio.map_or_else(String::new, percent)),
            of("", repair(sequence)),
        ];
        let lines = [&names[..], &facts[..]]
            .map(|pieces| wrap_pieces(pieces.iter().flatten(), ", ", words + 3, width))
            .into_iter()
            .filter(|lines| !lines.is_empty())
            .collect::<Vec<_>>()
            .join("\n");
        // The status takes the place of the first line's indent.
        let word = status.word();
        let space = " ".repeat(words - word.len() + 2);
        format!(" {}{space}{}", status.paint(word, options), lines.trim_start())
    });
    entries.collect::<Vec<_>>().join("\n")
}

fn feeds(sequence: &SequenceReport) -> String {
    /// Feeds shown of one sequence.
    const SHOWN: usize = 3;
    let mut lines: Vec<String> =
        sequence.feeds.iter().take(SHOWN).map(|feed| escape_control(&feed.column).into_owned()).collect();
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

fn number(value: Option<impl ToString>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

fn percent(ratio: f64) -> String {
    if ratio > 0.0 && ratio < 0.001 { "<0.1 %".to_owned() } else { format!("{:.1} %", ratio * 100.0) }
}

impl Status {
    fn paint(self, text: &str, options: TableOptions) -> String {
        let color = match self.color() {
            Some(Color::Red) => AnsiColor::BrightRed,
            Some(Color::Yellow) => AnsiColor::BrightYellow,
            Some(Color::Green) => AnsiColor::BrightGreen,
            _ => return text.to_owned(),
        };
        paint(text, color.on_default().bold(), options.color)
    }

    fn color(self) -> Option<Color> {
        match self {
            Self::Failed | Self::Exhausted => Some(Color::Red),
            Self::Held | Self::Unreadable | Self::Behind | Self::RunningOut => Some(Color::Yellow),
            Self::Repaired | Self::InSync => Some(Color::Green),
            Self::Unsupported | Self::Unlinked => None,
        }
    }
}
