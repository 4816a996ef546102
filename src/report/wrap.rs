//! Text for a terminal that is narrower than the table.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Puts `pieces` on as few lines as hold them, none longer than `width` columns and each begun with `indent` spaces. No
/// piece is broken, since a name in two halves cannot be copied: one that is too long has a line to itself.
pub fn wrap_pieces<P: AsRef<str>>(
    pieces: impl IntoIterator<Item = P>,
    separator: &str,
    indent: usize,
    width: usize,
) -> String {
    let mut text = String::new();
    let mut column = 0;
    for piece in pieces {
        let piece = piece.as_ref();
        let length = piece.chars().count();
        if column > 0 && column + separator.chars().count() + length <= width {
            text.push_str(separator);
            column += separator.chars().count() + length;
        } else {
            if column > 0 {
                text.push_str(separator.trim_end());
                text.push('\n');
            }
            text.push_str(&" ".repeat(indent));
            column = indent + length;
        }
        text.push_str(piece);
    }
    text
}

/// Lines of a name, before it is shortened in the middle.
const NAME_LINES: usize = 3;

/// A name on lines of at most `width` columns: broken after a dot or an underscore where one is near, and shortened in the
/// middle when it would take more than three lines.
pub fn wrap_name(name: &str, width: usize) -> String {
    let width = width.max(4);
    let whole = break_name(name, width);
    if whole.lines().count() <= NAME_LINES {
        return whole;
    }
    // Its beginning says where it belongs, and its end what it is.
    let kept = width * NAME_LINES - 1 - NAME_LINES;
    let letters: Vec<char> = name.chars().collect();
    let (head, tail) = (kept / 2, kept - kept / 2);
    let pieces = (letters.iter().take(head), letters.iter().skip(letters.len().saturating_sub(tail)));
    let shortened: String = pieces.0.chain(&['…']).chain(pieces.1).collect();
    let (mut lines, mut line) = (Vec::new(), String::new());
    for letter in shortened.chars() {
        if line.width() + letter.width().unwrap_or(0) > width {
            lines.push(std::mem::take(&mut line));
        }
        line.push(letter);
    }
    lines.push(line);
    lines.join("\n")
}

fn break_name(name: &str, width: usize) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for piece in name.split_inclusive(['.', '_', ' ']) {
        if !line.is_empty() && line.width() + piece.width() > width {
            lines.push(std::mem::take(&mut line));
        }
        for letter in piece.chars() {
            if line.width() + letter.width().unwrap_or(0) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_pieces_and_never_inside_one() {
        let pieces = ["next value 659", "max id 695", "lag 37"];
        assert_eq!(wrap_pieces(pieces, ", ", 2, 80), "  next value 659, max id 695, lag 37");
        assert_eq!(wrap_pieces(pieces, ", ", 2, 36), "  next value 659, max id 695, lag 37");
        assert_eq!(wrap_pieces(pieces, ", ", 2, 35), "  next value 659, max id 695,\n  lag 37");
        assert_eq!(wrap_pieces(pieces, ", ", 2, 5), "  next value 659,\n  max id 695,\n  lag 37");
    }

    #[test]
    fn words_are_folded_as_a_paragraph() {
        let words = "run pgmedic --once --approve public.payments_id_seq".split(' ');
        assert_eq!(wrap_pieces(words, " ", 1, 26), " run pgmedic --once\n --approve\n public.payments_id_seq");
    }

    #[test]
    fn a_name_is_broken_after_its_parts_and_shortened_when_it_is_too_long() {
        assert_eq!(wrap_name("public.orders_id_seq", 40), "public.orders_id_seq");
        assert_eq!(wrap_name("public.orders_id_seq", 14), "public.orders_\nid_seq");
        let long = format!("public.{}_seq", "x".repeat(100));
        let name = wrap_name(&long, 10);
        assert!(name.lines().count() <= 3 && name.lines().all(|line| line.width() <= 10), "{name}");
        assert!(name.starts_with("public.") && name.contains('…') && name.ends_with("_seq"), "{name}");
    }
}
