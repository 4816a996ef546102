//! Patterns for sequences: `schema.sequence` with wildcards.

use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatch;

use pgmedic_core::name::{NameError, NamePart, split};

/// A glob for a sequence's schema and name: `*` is any text, `?` any one character.
///
/// Names are compared as PostgreSQL stores them, so case matters. Quotes let a part hold a dot: `public."a.b*"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    schema: WildMatch,
    sequence: WildMatch,
}

impl Pattern {
    /// Matches every sequence.
    pub fn all() -> Self {
        Self { text: "*.*".to_owned(), schema: WildMatch::new("*"), sequence: WildMatch::new("*") }
    }

    /// Whether the sequence of this schema and name (as stored, without quotes) matches.
    pub fn matches(&self, schema: &str, sequence: &str) -> bool {
        self.schema.matches(schema) && self.sequence.matches(sequence)
    }
}

impl FromStr for Pattern {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let parts = split(text)?;
        for NamePart { text, quoted } in &parts {
            if text.is_empty() {
                return Err(NameError::Empty);
            }
            // A pattern with such a space would match no sequence.
            if !quoted && text.trim() != text {
                return Err(NameError::Character(' '));
            }
        }
        let [schema, sequence] =
            <[NamePart; 2]>::try_from(parts).map_err(|parts| NameError::Parts { found: parts.len(), expected: 2 })?;
        Ok(Self {
            text: text.to_owned(),
            schema: WildMatch::new(&schema.text),
            sequence: WildMatch::new(&sequence.text),
        })
    }
}

/// The pattern as in the configuration.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn stars_match_everything_even_names_with_dots() {
        assert!(pattern("*.*").matches("public", "orders_id_seq"));
        assert!(pattern("*.*").matches("my.schema", "a.b"));
    }

    #[test]
    fn each_part_matches_its_own_side_only() {
        assert!(pattern("public.order?_*").matches("public", "orders_id_seq"));
        assert!(!pattern("public.orders*").matches("audit", "orders_id_seq"));
        assert!(!pattern("public.orders").matches("public", "orders_id_seq"));
        assert!(!pattern("a.b").matches("a.b", ""));
    }

    #[test]
    fn names_are_compared_as_stored_so_capitals_count() {
        assert!(pattern("public.Orders*").matches("public", "Orders_id_seq"));
        assert!(!pattern("public.Orders*").matches("public", "orders_id_seq"));
    }

    #[test]
    fn quotes_let_a_part_hold_a_dot() {
        let dotted = pattern(r#""my.schema"."a.b*""#);
        assert!(dotted.matches("my.schema", "a.bc"));
        assert!(!dotted.matches("my", "schema.a.b"));
        assert_eq!(dotted.to_string(), r#""my.schema"."a.b*""#);
    }

    #[test]
    fn a_pattern_without_exactly_two_parts_is_refused() {
        let parts = |found| Err(NameError::Parts { found, expected: 2 });
        assert_eq!("orders_id_seq".parse::<Pattern>(), parts(1));
        assert_eq!("app.public.orders_id_seq".parse::<Pattern>(), parts(3));
        assert_eq!("".parse::<Pattern>(), Err(NameError::Empty));
        assert_eq!("public.".parse::<Pattern>(), Err(NameError::Empty));
        assert_eq!(" public.*".parse::<Pattern>(), Err(NameError::Character(' ')));
    }
}
