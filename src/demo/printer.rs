//! How the demo looks: plain text in blocks, with a little color on a terminal.

use crate::report::{Report, render_table};
use crate::terminal::{table_options, use_color};
use std::io::{self, Stdout, Write};

/// Standard output. Lines are for 80 columns; only a report may be wider.
pub(super) struct Printer {
    out: Stdout,
    color: bool,
    begun: bool,
}

/// A way to print a text, as the number of an SGR control sequence.
#[derive(Clone, Copy)]
enum Style {
    Bold = 1,
    Dim = 2,
    Red = 31,
    Green = 32,
}

impl Printer {
    pub(super) fn on_stdout() -> Self {
        let out = io::stdout();
        Self { color: use_color(&out), out, begun: false }
    }

    pub(super) fn heading(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(Style::Bold, text);
        self.block(&text)
    }

    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.block(text)
    }

    /// More of the same block.
    pub(super) fn continue_block(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")
    }

    /// Something to send or to type.
    pub(super) fn code(&mut self, text: &str) -> io::Result<()> {
        self.block(&indented(text))
    }

    pub(super) fn bad(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(Style::Red, &indented(text));
        self.block(&text)
    }

    pub(super) fn good(&mut self, text: &str) -> io::Result<()> {
        let text = self.paint(Style::Green, &indented(text));
        self.block(&text)
    }

    /// The same as `pgmedic --once` prints.
    pub(super) fn report(&mut self, report: &Report) -> io::Result<()> {
        self.block(render_table(report, table_options(false)).trim_end_matches('\n'))
    }

    /// The head of the rows that follow.
    pub(super) fn head(&mut self, cells: [&str; 3]) -> io::Result<()> {
        let [one, two, three] = cells;
        let text = self.paint(Style::Dim, &format!("{}{three}", row_start(one, two)));
        self.block(&text)
    }

    /// A row that ends with what went wrong.
    pub(super) fn bad_row(&mut self, one: &str, two: &str, three: &str) -> io::Result<()> {
        let three = self.paint(Style::Red, three);
        self.continue_block(&format!("{}{three}", row_start(one, two)))
    }

    pub(super) fn good_row(&mut self, one: &str, two: &str, three: &str) -> io::Result<()> {
        let three = self.paint(Style::Green, three);
        self.continue_block(&format!("{}{three}", row_start(one, two)))
    }

    /// Text with an empty line before it.
    fn block(&mut self, text: &str) -> io::Result<()> {
        if self.begun {
            writeln!(self.out)?;
        }
        self.begun = true;
        self.continue_block(text)
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.color { format!("\u{1b}[{}m{text}\u{1b}[0m", style as u8) } else { text.to_owned() }
    }
}

fn row_start(one: &str, two: &str) -> String {
    format!("    {one:<11}{two:<36}")
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}
