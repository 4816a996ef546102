//! Whether this agent leads a database.

/// Whether this agent leads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leadership {
    /// Not now; that somebody else does is not known.
    #[default]
    Unknown,
    Leader,
    Follower,
}
