//! Waking at once when somebody says `NOTIFY pgmedic`.
//!
//! Only the leader listens. It opens its ear before it makes a pass, so whatever was notified before is answered by
//! that pass; and when an ear that was open goes deaf it rings too, for what it may have missed.

use crate::agent::sequence_worker::triggers::Triggers;
use crate::db::ConnectTarget;
use crate::db::{ListenError, Listener};
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// One database's notifications. Dropping it ends the listening.
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
    /// No notification will ever arrive by this URL.
    Unsupported,
}

impl NotifyListener {
    /// Listens, and rings `bell` for every notification, unless it listens already or never can. None when nothing was
    /// tried.
    pub async fn open(&mut self, options: &ConnectTarget, bell: &Arc<Triggers>) -> Option<Result<(), ListenError>> {
        match self {
            Self::Unsupported => return None,
            Self::Open { lost, task, .. } if !lost.is_cancelled() && !task.is_finished() => return None,
            Self::Open { .. } | Self::Closed => self.close().await,
        }
        Some(match Listener::open(options).await {
            Ok(listener) => {
                let (stop, lost) = (CancellationToken::new(), CancellationToken::new());
                let task = tokio::spawn(listen(listener, Arc::clone(bell), stop.clone(), lost.clone()));
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

    /// Listens no more, until it is opened again. Returns when its connection is closed.
    pub async fn close(&mut self) {
        if let Self::Open { .. } = self
            && let Self::Open { task, stop, .. } = std::mem::take(self)
        {
            drop(stop);
            // A panic of the task's has closed its connection too.
            let _ = task.await;
        }
    }
}

async fn listen(mut listener: Listener, bell: Arc<Triggers>, stop: CancellationToken, lost: CancellationToken) {
    while let Some(heard) = stop.run_until_cancelled(listener.next()).await {
        match heard {
            Ok(said) => bell.notify_received(&said),
            Err(error) => {
                tracing::debug!(%error, "the ear was closed");
                lost.cancel();
                // Anything may have been missed.
                bell.notify_received("");
                break;
            }
        }
    }
    listener.close().await;
}
