//! The demo's output: plain text in blocks, with color on a terminal.

use crate::report::{Report, TableOptions, render_table};
use crate::terminal::{ERROR, HEADING, SECONDARY, SUCCESS, paint, use_color};
use anstyle::Style;
use std::io::{self, Stdout, Write};

/// Standard output. Lines are for 80 columns; only a report may be wider.
pub(super) struct Printer {
    out: Stdout,
    color: bool,
    started: bool,
}

impl Printer {
    pub(super) fn on_stdout() -> Self {
        let out = io::stdout();
        Self { color: use_color(&out), out, started: false }
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(HEADING, text);
        self.block(&text)
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.block(text)
    }

    /// More of the same block.
    pub(super) fn continue_block(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// SQL, or a command.
    pub(super) fn code(&mut self, text: &str) -> io::Result<()> {
        self.block(&indented(text))
    }

    pub(super) fn bad(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(ERROR, &indented(text));
        self.block(&text)
    }

    pub(super) fn good(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(SUCCESS, &indented(text));
        self.block(&text)
    }

    /// The same as `pgmedic --once` prints.
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        self.block(render_table(report, TableOptions::for_stdout(false)).trim_end_matches('\n'))
    }

    /// The head of the rows that follow.
    pub(super) fn head(&mut self, cells: [&str; 3]) -> io::Result<()> {
        let [one, two, three] = cells;
        let text = self.paint(SECONDARY, &format!("{}{three}", row_start(one, two)));
        self.block(&text)
    }

    /// A row that ends with what went wrong.
    pub(super) fn bad_row(&mut self, one: &str, two: &str, three: &str) -> io::Result<()> {
        let three = self.paint(ERROR, three);
        self.continue_block(&format!("{}{three}", row_start(one, two)))
    }

    pub(super) fn good_row(&mut self, one: &str, two: &str, three: &str) -> io::Result<()> {
        let three = self.paint(SUCCESS, three);
        self.continue_block(&format!("{}{three}", row_start(one, two)))
    }

    /// Text with an empty line before it.
    fn block(&mut self, text: &str) -> io::Result<()> {
        if self.started {
            writeln!(self.out)?;
        }
        self.started = true;
        self.continue_block(text)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        paint(text, style, self.color)
    }
}

fn row_start(one: &str, two: &str) -> String {
    format!("    {one:<11}{two:<36}")
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}
