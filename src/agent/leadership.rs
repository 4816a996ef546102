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
    /// The server is a replica, on which every agent observes and none leads.
    Observer,
}

impl Leadership {
    /// What the log says of this agent, if anything.
    pub fn says(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Leader => Some("leads"),
            Self::Follower => Some("is standby"),
            Self::Observer => Some("observes, as the server is a replica,"),
        }
    }

    /// Whether this agent makes passes and sweeps.
    pub fn works(self) -> bool {
        matches!(self, Self::Leader | Self::Observer)
    }
}
