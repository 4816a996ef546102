//! Which sequence the page of one sequence is asked for.

use url::form_urlencoded::{Serializer, parse};

/// Both names as in the report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SequenceQuery {
    pub database: String,
    pub name: String,
}

impl SequenceQuery {
    /// Reads a query. Unknown parts are ignored.
    pub fn read(query: &str) -> Self {
        let mut question = Self::default();
        for (key, value) in parse(query.as_bytes()) {
            match key.as_ref() {
                "database" => question.database = value.into_owned(),
                "name" => question.name = value.into_owned(),
                _ => {}
            }
        }
        question
    }

    /// A link to the page of this sequence.
    pub fn link(database: &str, name: &str) -> String {
        let mut query = Serializer::for_suffix("sequence?".to_owned(), "sequence?".len());
        query.append_pair("database", database).append_pair("name", name);
        query.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_asks_for_the_same_sequence_again() {
        let link = SequenceQuery::link("app #1", "public.\"a&b=<script> ü\"");
        assert!(!link.contains(['<', '"', ' ', '#']), "{link}");
        let question = SequenceQuery::read(link.strip_prefix("sequence?").unwrap());
        assert_eq!(
            question,
            SequenceQuery { database: "app #1".to_owned(), name: "public.\"a&b=<script> ü\"".to_owned() }
        );
        assert_eq!(SequenceQuery::read("&&==&x=%ff"), SequenceQuery::default());
    }
}
