//! Text for a terminal that is narrower than the table.

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
}
