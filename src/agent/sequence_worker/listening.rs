//! Where a worker receives NOTIFY: on the lease's connection, or on a separate one where the budget has room for it.

use super::cycle::SequenceWorkerContext;
use super::lead::LeaseListens;
use super::worker_state::SequenceWorkerState;
use crate::db::ListenError;
use pgmedic_core::Reason;

impl SequenceWorkerContext {
    /// Listens for NOTIFY, where it does not yet and can.
    pub(super) async fn listen(&self, state: &mut SequenceWorkerState) {
        if !self.settings.sequences.listen_notify {
            return;
        }
        match self.lead.listens().await {
            LeaseListens::Here(result) => return state.publisher.listening(result),
            LeaseListens::Elsewhere if self.lead.is_alone() => return,
            LeaseListens::Elsewhere => {}
        }
        if self.lead.discovered().is_some_and(|member| !member.may_listen()) {
            return;
        }
        let Ok(target) = self.database.connect_options() else { return };
        match state.listener.open(&target, &self.triggers).await {
            // A replica takes no LISTEN. It is tried again after a promotion.
            None | Some(Err(ListenError::Replica)) => {}
            Some(Err(error @ (ListenError::NoConnectionLeft | ListenError::Pooled)))
                if self.lead.discovered().is_some() =>
            {
                // Said once for all databases of the server.
                if let Some(member) = self.lead.discovered().filter(|member| member.cannot_listen()) {
                    state.publisher.not_listening_on_server(&error, member.databases());
                }
            }
            Some(Err(ListenError::NoConnectionLeft)) => {
                state.publisher.not_listening_for_lack_of_connections(self.lead.lead().databases())
            }
            Some(result) => state.publisher.listening(result.map_err(Reason::from)),
        }
    }
}
