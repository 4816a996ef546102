//! A cycle at once when a session executes `NOTIFY pgmedic`.
//!
//! Only the leader listens. It starts to listen before it makes a pass, so that the pass covers every notification that
//! came earlier. When its connection is lost it triggers a cycle, because notifications may have been missed.

use super::triggers::Triggers;
use crate::db::ConnectTarget;
use crate::db::{ListenError, Listener};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The connection that listens in one database. Dropping it ends the listening.
#[derive(Debug, Default)]
pub enum NotifyListener {
    #[default]
    Closed,
    Open {
        task: JoinHandle<()>,
        stop: DropGuard,
        /// Cancelled when the connection was lost.
        lost: CancellationToken,
    },
    /// No notification can ever arrive through this URL.
    Unsupported,
}

impl NotifyListener {
    /// Connects and passes every notification to `triggers`, unless it listens already or never can. None when nothing
    /// was tried.
    pub async fn open(&mut self, options: &ConnectTarget, triggers: &Arc<Triggers>) -> Option<Result<(), ListenError>> {
        match self {
            Self::Unsupported => return None,
            Self::Open { lost, task, .. } if !lost.is_cancelled() && !task.is_finished() => return None,
            Self::Open { .. } | Self::Closed => self.close().await,
        }
        Some(match Listener::open(options).await {
            Ok(listener) => {
                let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
                let task = tokio::spawn(listen(listener, Arc::clone(triggers), stop.clone(), lost.clone()));
                *self = Self::Open { task, stop: stop.drop_guard(), lost };
                Ok(())
            }
            Err(error) => {
                if error == ListenError::Pooled {
                    *self = Self::Unsupported;
                }
                Err(error)
            }
        })
    }

    /// Stops listening until it is opened again. Returns when its connection is closed.
    pub async fn close(&mut self) {
        if let Self::Open { .. } = self
            && let Self::Open { task, stop, .. } = std::mem::take(self)
        {
            drop(stop);
            // A panic of the task has closed its connection too.
            let _ = task.await;
        }
    }
}

async fn listen(mut listener: Listener, triggers: Arc<Triggers>, stop: CancellationToken, lost: CancellationToken) {
    while let Some(notification) = stop.run_until_cancelled(listener.next()).await {
        match notification {
            Ok(payload) => triggers.notify_received(&payload),
            Err(error) => {
                tracing::debug!(%error, "the connection that listens was lost");
                lost.cancel();
                // Any notification may have been missed.
                triggers.notify_received("");
                break;
            }
        }
    }
    listener.close().await;
}
