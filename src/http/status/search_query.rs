//! The query of the search form.

use crate::report::{Status, escape_control};
use url::form_urlencoded::{Serializer, parse};

/// Longer than any name in PostgreSQL with its schema.
const LONGEST: usize = 300;

/// Which sequences are to be listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words that the name of the sequence or of a column that it feeds must contain, ignoring case.
    pub text: String,
    pub database: String,
    pub which: StatusFilter,
    /// Begins with 1.
    pub page: usize,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StatusFilter {
    #[default]
    All,
    Attention,
    Status(Status),
}

impl StatusFilter {
    /// All filters, in the order of the form.
    pub fn offered() -> impl Iterator<Item = Self> {
        [Self::All, Self::Attention].into_iter().chain(Status::ALL.map(Self::Status))
    }

    /// As in the query.
    pub fn value(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Attention => "attention",
            Self::Status(status) => status.word(),
        }
    }

    /// As in the form.
    pub fn label(self) -> &'static str {
        match self {
            Self::All => "any status",
            Self::Attention => "needs attention",
            Self::Status(status) => status.word(),
        }
    }
}

impl SearchQuery {
    /// Reads a query. Invalid parts are ignored.
    pub fn read(query: &str) -> Self {
        let mut question = Self { page: 1, ..Self::default() };
        for (key, value) in parse(query.as_bytes()) {
            match key.as_ref() {
                "q" => question.text = escape_control(value.trim()).chars().take(LONGEST).collect(),
                "database" => question.database = value.into_owned(),
                "status" => {
                    question.which = StatusFilter::offered().find(|which| which.value() == value).unwrap_or_default()
                }
                "page" => question.page = value.parse().unwrap_or(1).max(1),
                _ => {}
            }
        }
        question
    }

    /// A link to another `page` of this query.
    pub fn link(&self, page: usize) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        for (key, value) in [("q", self.text.as_str()), ("database", &self.database), ("status", self.which.value())] {
            if !value.is_empty() {
                query.append_pair(key, value);
            }
        }
        if page > 1 {
            query.append_pair("page", &page.to_string());
        }
        query.finish() + "#sequences"
    }

    /// Whether it finds everything.
    pub fn is_unfiltered(&self) -> bool {
        self.text.is_empty() && self.database.is_empty() && self.which == StatusFilter::All
    }
}

#[cfg(test)]
#[path = "search_query_fuzz.rs"]
mod fuzz;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_asks_the_same_again() {
        let question = SearchQuery {
            text: "a&b=\"<script>\" ü".to_owned(),
            database: "app #1".to_owned(),
            which: StatusFilter::Status(Status::InSync),
            page: 7,
        };
        let link = question.link(7);
        assert!(!link.contains(['<', '"', ' ']), "{link}");
        let query = link.strip_prefix('?').and_then(|link| link.strip_suffix("#sequences")).unwrap();
        assert_eq!(SearchQuery::read(query), question);
    }

    #[test]
    fn nonsense_is_as_if_it_were_not_there() {
        let nothing = SearchQuery { page: 1, ..SearchQuery::default() };
        let large = "q=".to_owned() + &"x".repeat(10_000);
        for query in ["", "&&==", "page=0", "page=-1", "page=99999999999999999999999", "status=well", "x=y", "q=%20"] {
            assert_eq!(SearchQuery::read(query), nothing, "{query}");
        }
        assert_eq!(SearchQuery::read(&large).text.len(), LONGEST);
        assert_eq!(SearchQuery::read("q=%ff%00").text, "\u{fffd}\\u{0}");
    }
}
