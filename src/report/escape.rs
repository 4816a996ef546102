//! Names from a database, made safe to print.

use std::borrow::Cow;

/// Escapes characters with which a name could control the terminal or the page, or look like another name.
pub fn escape_control(text: &str) -> Cow<'_, str> {
    if text.chars().any(is_unsafe) {
        let visible = |c: char| if is_unsafe(c) { c.escape_default().to_string() } else { c.to_string() };
        Cow::Owned(text.chars().map(visible).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, line separators and characters that change the direction of text (Unicode, `Bidi_Control`).
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
