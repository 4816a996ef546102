//! Whether and how output is colored.

use crate::report::TableOptions;
use std::io::{self, IsTerminal};

pub(crate) fn table_options(verbose: bool) -> TableOptions {
    let stdout = io::stdout();
    TableOptions { verbose, color: use_color(&stdout), to_terminal: stdout.is_terminal() }
}

/// Colors only on a terminal, and never where `NO_COLOR` is set (no-color.org).
pub(crate) fn use_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}
