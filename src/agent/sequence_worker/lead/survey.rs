//! Asks for a server's databases, on the lease's connection where there is one: then one statement a pass tells whether this
//! agent still leads, which databases there are, and in which of them anything was done.

use super::{LeadAnswer, ServerLead};
use crate::agent::leadership::Leadership;
use crate::config::Server;
use crate::servers::{FoundDatabase, read, survey};
use pgmedic_core::{Reason, Timeouts};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

impl ServerLead {
    /// Who leads, and the databases; those are left out for a standby, unless `wanted`.
    ///
    /// # Errors
    ///
    /// When the server cannot be reached, or does not answer.
    pub async fn survey(
        &self,
        server: &Server,
        wanted: bool,
        timeouts: Timeouts,
        cancel: &CancellationToken,
    ) -> Result<(LeadAnswer, Option<Vec<FoundDatabase>>), Reason> {
        if let Some((answer, found)) = self.survey_on_lease().await {
            return Ok((answer, Some(found)));
        }
        let answer = self.ask().await?;
        if answer.lease.is_some()
            && let Some((answer, found)) = self.survey_on_lease().await
        {
            return Ok((answer, Some(found)));
        }
        if answer.leadership == Leadership::Follower && !wanted {
            return Ok((answer, None));
        }
        let found = survey(server, timeouts, cancel).await?;
        Ok((answer, Some(found)))
    }

    /// None where no lease is held, or its connection cannot be asked.
    async fn survey_on_lease(&self) -> Option<(LeadAnswer, Vec<FoundDatabase>)> {
        let mut state = self.state.lock().await;
        loop {
            let held = state.held.as_ref()?;
            let sql = format!("/* pgmedic:databases */ {}", state.survey.text());
            match held.ask(sql).await?.and_then(|rows| read(&rows)) {
                Ok(found) => {
                    let lease = Some(held.number);
                    let ignored = state.answer.as_ref().map_or_else(Vec::new, |(_, answer)| answer.ignored.clone());
                    let answer = LeadAnswer { leadership: Leadership::Leader, lease, other: None, ignored };
                    state.answer = Some((Instant::now(), answer.clone()));
                    return Some((answer, found));
                }
                Err(error) => state.survey = state.survey.instead(&error)?,
            }
        }
    }
}
