//! Whether this agent leads on a database.

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Leadership {
    /// Not at the moment. Whether another agent leads is not known.
    #[default]
    Unknown,
    /// This agent leads.
    Leader,
    /// Another agent leads.
    Follower,
}
