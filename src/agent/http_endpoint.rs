//! Where the agent answers HTTP, which a reload may move.

use super::AgentError;
use crate::http::{self, Heartbeat};
use crate::metrics::Metrics;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// An open port; dropping it closes it and every connection.
#[derive(Debug)]
pub struct HttpEndpoint {
    /// As configured: port 0 is any free one, and stays the one that was found.
    configured: SocketAddr,
    found: SocketAddr,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl HttpEndpoint {
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn bind(address: SocketAddr, metrics: &Arc<Metrics>, heartbeat: &Heartbeat) -> Result<Self, AgentError> {
        let failed = |source| AgentError::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let found = listener.local_addr().map_err(failed)?;
        tracing::info!("listening on http://{found}");
        let stop = CancellationToken::new();
        let serving = http::serve(listener, Arc::clone(metrics), heartbeat.clone(), stop.clone());
        Ok(Self { configured: address, found, stop, task: AbortOnDropHandle::new(tokio::spawn(serving)) })
    }

    /// With the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.found
    }

    /// Answers at another address from now on.
    ///
    /// # Errors
    ///
    /// When that cannot be had; then this one stays.
    pub async fn rebind(
        &mut self,
        address: SocketAddr,
        metrics: &Arc<Metrics>,
        heartbeat: &Heartbeat,
    ) -> Result<(), AgentError> {
        let old = self.configured;
        if old == address {
            return Ok(());
        }
        let opened = Self::bind(address, metrics, heartbeat).await;
        *self = match opened {
            Ok(door) => door,
            // It may be this one that stands in the way: 127.0.0.1 in that of 0.0.0.0.
            Err(AgentError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && old.port() == address.port() =>
            {
                self.close().await;
                match Self::bind(address, metrics, heartbeat).await {
                    Ok(door) => door,
                    Err(error) => {
                        *self = Self::bind(old, metrics, heartbeat).await?;
                        return Err(error);
                    }
                }
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn close(&mut self) {
        self.stop.cancel();
        // Should it have panicked, it is closed too.
        let _ = (&mut self.task).await;
    }
}
