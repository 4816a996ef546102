//! Who leads on a worker's database: it asks for the lease, or the worker of its server does.

use super::fleet::FleetMember;
use super::lead::{LeadAnswer, LeaseListens, ServerLead};
use pgmedic_core::{QueryError, Reason};
use sqlx::postgres::PgRow;
use std::sync::Arc;
use tokio::sync::watch;

#[derive(Debug)]
pub enum Membership {
    /// A database with a `[[databases]]` table, and its place among those of the lease.
    Own { lead: Arc<ServerLead>, place: usize },
    /// A database that was discovered on a server.
    Discovered(FleetMember),
}

impl Membership {
    /// Who leads.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached.
    pub async fn ask(&self) -> Result<LeadAnswer, Reason> {
        match self {
            // In memory only while it is asked: a server may have a thousand databases.
            Self::Own { lead, .. } => Box::pin(lead.ask()).await,
            Self::Discovered(member) => member.answer(),
        }
    }

    /// The number of the last lease that was lost, or 0.
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.lead().losses()
    }

    /// Whether this database receives notifications on the lease's connection.
    pub async fn listens(&self) -> LeaseListens {
        match self.place() {
            Some(place) => Box::pin(self.lead().listens(place)).await,
            None => LeaseListens::Elsewhere,
        }
    }

    /// The rows of a statement on the lease's connection; none where that stands in another database, or cannot be asked.
    pub async fn ask_on_lease(&self, sql: String) -> Option<Result<Vec<PgRow>, QueryError>> {
        self.lead().ask_in(self.place()?, sql).await
    }

    /// A pass has reached this primary.
    pub fn reaches(&self, server: &str) {
        if let Some(place) = self.place() {
            self.lead().reaches(place, server);
        }
    }

    /// Releases the lease at once, where the worker asks for it.
    pub async fn release(&self) {
        if let Self::Own { lead, .. } = self {
            lead.release().await;
        }
    }

    /// Whether this database alone has the lease.
    pub fn is_alone(&self) -> bool {
        matches!(self, Self::Own { lead, .. } if lead.is_alone())
    }

    /// Whether the worker's own schedule decides when it tries again.
    pub fn tries_again(&self) -> bool {
        matches!(self, Self::Own { .. })
    }

    pub fn discovered(&self) -> Option<&FleetMember> {
        match self {
            Self::Own { .. } => None,
            Self::Discovered(member) => Some(member),
        }
    }

    pub fn lead(&self) -> &Arc<ServerLead> {
        match self {
            Self::Own { lead, .. } => lead,
            Self::Discovered(member) => &member.fleet.lead,
        }
    }

    fn place(&self) -> Option<usize> {
        match self {
            Self::Own { place, .. } => Some(*place),
            Self::Discovered(member) => member.place(),
        }
    }
}
