//! Which sequences are meant: by name, as the report or SQL spells it, or by a pattern.

use crate::config::Pattern;
use pgmedic_core::{NameError, RelationRef, TableName};

/// What `SEQUENCE` on the command line means.
#[derive(Debug, Clone)]
pub enum SequenceFilter {
    All,
    /// With its schema, or in any schema.
    Named(RelationRef),
    Pattern(Pattern),
}

/// A text that is neither a name nor a pattern.
#[derive(Debug, thiserror::Error)]
#[error(
    "{name:?} names no sequence: {cause}; write it as the report does, such as public.orders_id_seq, or as a pattern, such as \
     'public.*'"
)]
pub struct UnusableName {
    name: String,
    cause: NameError,
}

impl SequenceFilter {
    /// # Errors
    ///
    /// When `text` is neither a name nor a pattern.
    pub fn parse(text: Option<&str>) -> Result<Self, UnusableName> {
        let Some(text) = text else { return Ok(Self::All) };
        if let Ok(name) = text.parse::<RelationRef>() {
            return Ok(Self::Named(name));
        }
        let pattern = text.parse::<Pattern>();
        pattern.map(Self::Pattern).map_err(|cause| UnusableName { name: text.to_owned(), cause })
    }

    /// Whether it means the sequence of this name, quoted as SQL needs it.
    pub fn matches(&self, name: &str) -> bool {
        let matches = |test: &dyn Fn(&str, &str) -> bool| {
            name.parse::<TableName>().is_ok_and(|TableName { schema, name }| test(&schema, &name))
        };
        match self {
            Self::All => true,
            Self::Named(named) => matches(&|schema, name| named.matches(schema, name)),
            Self::Pattern(pattern) => matches(&|schema, name| pattern.matches(schema, name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_as_sql_or_the_report_spells_it_and_a_pattern_too() {
        for (text, name) in [
            ("public.orders_id_seq", "public.orders_id_seq"),
            ("Public.ORDERS_id_seq", "public.orders_id_seq"),
            ("orders_id_seq", "public.orders_id_seq"),
            (r#""My shop"."Orders.id""#, r#""My shop"."Orders.id""#),
            (r#""Orders.id""#, r#""My shop"."Orders.id""#),
            ("public.*", "public.orders_id_seq"),
            ("*.Orders*", r#""My shop"."Orders.id""#),
        ] {
            assert!(SequenceFilter::parse(Some(text)).unwrap().matches(name), "{text}");
        }
        let other = SequenceFilter::parse(Some("orders.id_seq")).unwrap();
        assert!(!other.matches("public.orders_id_seq") && !other.matches("not a name"));
    }

    #[test]
    fn what_is_neither_is_refused_with_what_was_expected() {
        for text in ["", "a.b.c", "*_seq", "a.\"b"] {
            let error = SequenceFilter::parse(Some(text)).unwrap_err().to_string();
            assert!(error.contains("public.orders_id_seq"), "{error}");
        }
    }
}
