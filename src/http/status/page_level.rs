//! The levels that the page shows: word, color class and shape.

use crate::report::Level;

/// Of a finding, a database or the whole page; worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageLevel {
    /// An insert fails now.
    Failing,
    /// pgmedic cannot tell whether inserts work.
    Unknown,
    /// An insert will fail unless a person acts.
    Soon,
    /// Nothing fails; an answer is wanted.
    Decision,
    /// The first pass is running.
    Starting,
    Healthy,
    /// Another agent leads.
    Standby,
}

impl PageLevel {
    pub fn word(self) -> &'static str {
        match self {
            Self::Failing => "Failing",
            Self::Unknown => "Unknown",
            Self::Soon => "Soon",
            Self::Decision => "Decision",
            Self::Starting => "Starting",
            Self::Healthy => "Healthy",
            Self::Standby => "Standby",
        }
    }

    /// The class that gives it its color.
    pub fn class(self) -> &'static str {
        match self {
            Self::Failing => "failing",
            Self::Unknown => "unknown",
            Self::Soon => "soon",
            Self::Decision => "decision",
            Self::Healthy => "healthy",
            Self::Starting | Self::Standby => "idle",
        }
    }

    /// The icon, by shape: the color only repeats it.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Standby => "standby",
            other => other.class(),
        }
    }

    /// In the title of the browser's tab.
    pub fn tab_symbol(self) -> &'static str {
        match self {
            Self::Failing => "✖",
            Self::Unknown => "?",
            Self::Soon => "▲",
            Self::Decision => "■",
            Self::Healthy => "✔",
            Self::Starting => "…",
            Self::Standby => "○",
        }
    }
}

impl From<Level> for PageLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Failing => Self::Failing,
            Level::Unknown => Self::Unknown,
            Level::Soon => Self::Soon,
            Level::Decision => Self::Decision,
            Level::Healthy => Self::Healthy,
        }
    }
}
