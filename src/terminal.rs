//! Colors: whether a stream gets them, and the styles of everything that is printed.

use anstyle::{AnsiColor, Style};
use std::io::IsTerminal;

#[cfg(feature = "demo")]
pub(crate) const HEADING: Style = Style::new().bold();
#[cfg(feature = "demo")]
pub(crate) const SECONDARY: Style = Style::new().dimmed();
pub(crate) const ERROR: Style = AnsiColor::Red.on_default();
#[cfg(feature = "demo")]
pub(crate) const SUCCESS: Style = AnsiColor::Green.on_default();

/// Only on a terminal, and never where `NO_COLOR` is set (no-color.org).
pub(crate) fn use_color(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// The text in this style, where `color` allows it.
pub(crate) fn paint(text: &str, style: Style, color: bool) -> String {
    if color { format!("{style}{text}{style:#}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_style_ends_with_the_text_and_nothing_is_written_without_color() {
        assert_eq!(paint("failed", ERROR, true), "\u{1b}[31mfailed\u{1b}[0m");
        assert_eq!(paint("failed", ERROR, false), "failed");
    }
}
