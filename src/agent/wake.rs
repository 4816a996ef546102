//! Waking at once when somebody says `NOTIFY pgmedic`.
//!
//! Only the leader listens. It opens its ear before it makes a pass, so whatever was notified before is answered by
//! that pass; and when an ear that was open goes deaf it rings too, for what it may have missed.

use crate::db::{ListenError, Listener};
use sqlx::postgres::PgConnectOptions;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// From the end of a pass that was asked for to the beginning of the next.
pub const PAUSE: Duration = Duration::from_secs(1);

/// One database's notifications. Dropping it ends the listening.
#[derive(Debug, Default)]
pub enum Ear {
    #[default]
    Closed,
    Open {
        task: JoinHandle<()>,
        _stop: DropGuard,
    },
    /// No notification will ever arrive by this URL.
    Deaf,
}

impl Ear {
    /// Listens, and rings `bell` for every notification (any number of rings before somebody looks are one), unless it
    /// listens already or never can. None when nothing was tried.
    pub async fn open(
        &mut self,
        options: &PgConnectOptions,
        bell: &Arc<Notify>,
        tasks: &TaskTracker,
        stop: &CancellationToken,
    ) -> Option<Result<(), ListenError>> {
        match self {
            Self::Deaf => return None,
            Self::Open { task, .. } if !task.is_finished() => return None,
            Self::Open { .. } | Self::Closed => {}
        }
        *self = Self::Closed;
        let opened = stop.run_until_cancelled(Listener::open(options)).await?;
        Some(match opened {
            Ok(listener) => {
                let stop = stop.child_token();
                let task = tasks.spawn(listen(listener, Arc::clone(bell), stop.clone()));
                *self = Self::Open { task, _stop: stop.drop_guard() };
                Ok(())
            }
            Err(error) => {
                if error == ListenError::Pooled {
                    *self = Self::Deaf;
                }
                Err(error)
            }
        })
    }

    /// Listens no more, until it is opened again.
    pub fn close(&mut self) {
        if matches!(self, Self::Open { .. }) {
            *self = Self::Closed;
        }
    }
}

async fn listen(mut listener: Listener, bell: Arc<Notify>, stop: CancellationToken) {
    while let Some(heard) = stop.run_until_cancelled(listener.next()).await {
        bell.notify_one();
        if let Err(error) = heard {
            tracing::debug!(%error, "the ear was closed");
            break;
        }
    }
    listener.close().await;
}
