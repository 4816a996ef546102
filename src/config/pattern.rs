//! Patterns for sequences: `schema.sequence` with wildcards.

use std::fmt;
use std::str::FromStr;

use wildmatch::WildMatchPattern;

use pgmedic_core::name::{NameError, NamePart, split};

/// Stand for `*` and `?` within a glob, so that a name may hold these characters. They are no letters of any language.
const ANY_TEXT: char = '\u{E000}';
const ANY_CHARACTER: char = '\u{E001}';

type Glob = WildMatchPattern<ANY_TEXT, ANY_CHARACTER>;

/// A glob for a sequence's schema and name: `*` is any text, `?` any one character, and a backslash before one of them
/// makes it an ordinary character. A name as it is stored matches itself, with any characters.
///
/// Names are compared as PostgreSQL stores them, so case matters. Quotes let a part hold a dot: `public."a.b*"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Pattern {
    text: String,
    schema: Part,
    sequence: Part,
}

/// One part of a pattern.
#[derive(Debug, Clone, PartialEq)]
struct Part {
    text: String,
    glob: Glob,
}

impl Part {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), glob: glob(text) }
    }

    fn matches(&self, name: &str) -> bool {
        self.text == name || self.glob.matches(name)
    }
}

/// The glob of one part.
fn glob(text: &str) -> Glob {
    let mut glob = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        glob.push(match character {
            '*' => ANY_TEXT,
            '?' => ANY_CHARACTER,
            '\\' => characters.next_if(|next| matches!(next, '*' | '?')).unwrap_or('\\'),
            other => other,
        });
    }
    Glob::new(&glob)
}

impl Pattern {
    /// Matches every sequence.
    pub fn all() -> Self {
        Self { text: "*.*".to_owned(), schema: Part::new("*"), sequence: Part::new("*") }
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
        Ok(Self { text: text.to_owned(), schema: Part::new(&schema.text), sequence: Part::new(&sequence.text) })
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
    fn a_backslash_makes_a_wildcard_an_ordinary_character() {
        assert!(pattern(r#"public."a\*""#).matches("public", "a*"));
        assert!(!pattern(r#"public."a\*""#).matches("public", "abc"));
        assert!(!pattern(r#"public."a\?""#).matches("public", "ab"));
        assert!(pattern(r#"public."a\b\\*""#).matches("public", r"a\b\*"), "other backslashes are what they are");
        assert!(pattern(r#"public."\*""#).matches("public", r"\*"), "a name as it is stored matches itself");
    }

    #[test]
    fn the_command_that_approves_a_sequence_is_a_pattern_of_its_name_alone() {
        for name in ["a*", "?", r"a\b", r"a\*", "*?*"] {
            let quoted = format!("public.\"{name}\"");
            let fix = pgmedic_core::Fix::approve(&quoted);
            let argument = fix.as_str().split('\'').nth(1).expect("a quoted argument");
            let approved = pattern(argument);
            assert!(approved.matches("public", name), "{argument}");
            assert!(
                !["abc", "b", "xyz", r"a\bc", "a"].iter().any(|other| approved.matches("public", other)),
                "{argument}"
            );
        }
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
