//! What the page is asked for: words, filter, order, page.

use super::model::row::RowState;
use crate::report::{Level, escape_control};
use url::form_urlencoded::{Serializer, parse};

/// Longer than any name in PostgreSQL with its schema.
const LONGEST: usize = 300;
/// Words that are looked for; more would only make the search slow.
const MOST_WORDS: usize = 8;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words that the name of the sequence, of a column that it feeds, or of its database must contain, ignoring case.
    pub text: String,
    pub database: String,
    /// The configured name of a server.
    pub server: String,
    pub filter: Filter,
    /// None for the default order: the worst first.
    pub sort: Option<SortKey>,
    /// The direction, where it is not the column's first one.
    pub direction: Option<Direction>,
    /// Of the sequences; begins with 1.
    pub page: usize,
    /// Whether every card is shown.
    pub all_cards: bool,
    /// Which page of the list of healthy databases, of the server if one is named, is open; none while it is folded.
    pub databases: Option<usize>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Filter {
    #[default]
    All,
    Failing,
    Soon,
    Unknown,
    Decision,
    Repaired,
    Healthy,
    NotJudged,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SortKey {
    Status,
    Sequence,
    Database,
    NextValue,
    MaxId,
    Lag,
    Used,
    TimeLeft,
    LastRepair,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    Ascending,
    Descending,
}

impl Filter {
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Failing,
        Self::Soon,
        Self::Unknown,
        Self::Decision,
        Self::Repaired,
        Self::Healthy,
        Self::NotJudged,
    ];

    /// As in the query.
    pub fn value(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Failing => "failing",
            Self::Soon => "soon",
            Self::Unknown => "unknown",
            Self::Decision => "decision",
            Self::Repaired => "repaired",
            Self::Healthy => "healthy",
            Self::NotJudged => "not-judged",
        }
    }

    pub fn finds(self, state: RowState) -> bool {
        match self {
            Self::All => true,
            Self::Failing => state == RowState::Level(Level::Failing),
            Self::Soon => state == RowState::Level(Level::Soon),
            Self::Unknown => state == RowState::Level(Level::Unknown),
            Self::Decision => state == RowState::Level(Level::Decision),
            Self::Repaired => state == RowState::Repaired,
            Self::Healthy => matches!(state, RowState::Level(Level::Healthy) | RowState::Repaired),
            Self::NotJudged => state == RowState::NotJudged,
        }
    }
}

impl SortKey {
    pub const ALL: [Self; 9] = [
        Self::Status,
        Self::Sequence,
        Self::Database,
        Self::NextValue,
        Self::MaxId,
        Self::Lag,
        Self::Used,
        Self::TimeLeft,
        Self::LastRepair,
    ];

    /// As in the query.
    pub fn value(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Sequence => "sequence",
            Self::Database => "database",
            Self::NextValue => "next",
            Self::MaxId => "max",
            Self::Lag => "lag",
            Self::Used => "used",
            Self::TimeLeft => "left",
            Self::LastRepair => "repair",
        }
    }

    /// Numbers begin with the largest, levels with the worst.
    fn first_direction(self) -> Direction {
        match self {
            Self::Status | Self::NextValue | Self::MaxId | Self::Lag | Self::Used => Direction::Descending,
            _ => Direction::Ascending,
        }
    }
}

impl SearchQuery {
    /// Finds the sequences of a server.
    pub fn of_server(server: &str) -> Self {
        Self { server: server.to_owned(), page: 1, ..Self::default() }
    }

    /// Whether it may find sequences of the database.
    pub fn covers(&self, database: &str, server: Option<&str>) -> bool {
        (self.database.is_empty() || self.database == database)
            && (self.server.is_empty() || server == Some(self.server.as_str()))
    }

    /// Reads a query. Invalid parts are ignored.
    pub fn read(query: &str) -> Self {
        let mut question = Self { page: 1, ..Self::default() };
        for (key, value) in parse(query.as_bytes()) {
            match key.as_ref() {
                "q" => question.text = escape_control(value.trim()).chars().take(LONGEST).collect(),
                "database" => question.database = value.into_owned(),
                "server" => question.server = value.into_owned(),
                "status" => {
                    question.filter =
                        Filter::ALL.into_iter().find(|filter| filter.value() == value).unwrap_or_default();
                }
                "sort" => question.sort = SortKey::ALL.into_iter().find(|key| key.value() == value),
                "dir" => {
                    question.direction = match value.as_ref() {
                        "asc" => Some(Direction::Ascending),
                        "desc" => Some(Direction::Descending),
                        _ => None,
                    }
                }
                "page" => question.page = value.parse().unwrap_or(1).max(1),
                "attention" => question.all_cards = value == "all",
                "databases" => question.databases = value.parse().ok().filter(|page| *page > 0),
                _ => {}
            }
        }
        question
    }

    /// The words of the text, in lower case.
    pub fn words(&self) -> Vec<String> {
        self.text.to_lowercase().split_whitespace().take(MOST_WORDS).map(ToOwned::to_owned).collect()
    }

    /// By which column the rows are ordered, and whether the largest comes first.
    pub fn order(&self) -> (SortKey, bool) {
        let key = self.sort.unwrap_or(SortKey::Status);
        (key, self.direction.unwrap_or(key.first_direction()) == Direction::Descending)
    }

    /// The same question, ordered by this column: in the other direction when it is already.
    pub fn sorted_by(&self, key: SortKey) -> Self {
        let (sorted, descending) = self.order();
        let direction =
            (sorted == key).then_some(if descending { Direction::Ascending } else { Direction::Descending });
        let direction = direction.filter(|direction| *direction != key.first_direction());
        Self {
            sort: (key != SortKey::Status || direction.is_some()).then_some(key),
            direction,
            page: 1,
            ..self.clone()
        }
    }

    /// A link to the section `place` of this question's page.
    pub fn link(&self, place: &str) -> String {
        let mut query = Serializer::for_suffix("?".to_owned(), 1);
        let direction = match self.direction {
            Some(Direction::Ascending) => "asc",
            Some(Direction::Descending) => "desc",
            None => "",
        };
        let page = if self.page > 1 { self.page.to_string() } else { String::new() };
        let databases = self.databases.map(|page| page.to_string()).unwrap_or_default();
        let pairs = [
            ("q", self.text.as_str()),
            ("database", &self.database),
            ("server", &self.server),
            ("status", self.filter.value()),
            ("sort", self.sort.map_or("", SortKey::value)),
            ("dir", direction),
            ("page", &page),
            ("attention", if self.all_cards { "all" } else { "" }),
            ("databases", &databases),
        ];
        for (key, value) in pairs.into_iter().filter(|(_, value)| !value.is_empty()) {
            query.append_pair(key, value);
        }
        let query = query.finish();
        // A link without a question would stay on the page of the present one.
        format!("{}#{place}", if query == "?" { "./" } else { &query })
    }

    /// Whether it finds every sequence.
    pub fn is_unfiltered(&self) -> bool {
        self.text.is_empty() && self.database.is_empty() && self.server.is_empty() && self.filter == Filter::All
    }
}

#[cfg(test)]
#[path = "search_query_fuzz.rs"]
mod fuzz;

#[cfg(test)]
#[path = "search_query_tests.rs"]
mod tests;
