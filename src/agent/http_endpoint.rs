//! The address that HTTP listens on, which a reload may change.

use super::AgentError;
use crate::http::{self, Sources};
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// An open port; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct HttpEndpoint {
    /// As configured: port 0 means any free port, and the port that was found stays.
    configured: SocketAddr,
    bound: SocketAddr,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl HttpEndpoint {
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn bind(address: SocketAddr, sources: &Sources) -> Result<Self, AgentError> {
        let failed = |source| AgentError::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        tracing::info!("listening on http://{bound}");
        let stop = CancellationToken::new();
        let serving = http::serve(listener, sources.clone(), stop.clone());
        Ok(Self { configured: address, bound, stop, task: AbortOnDropHandle::new(tokio::spawn(serving)) })
    }

    /// With the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.bound
    }

    /// Listens on another address from now on.
    ///
    /// # Errors
    ///
    /// When that cannot be bound; then the old one stays.
    pub async fn rebind(&mut self, address: SocketAddr, sources: &Sources) -> Result<(), AgentError> {
        let old = self.configured;
        if old == address {
            return Ok(());
        }
        *self = match Self::bind(address, sources).await {
            Ok(endpoint) => endpoint,
            // The old address may be in the way, as 127.0.0.1 is in the way of 0.0.0.0: close it first.
            Err(AgentError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && old.port() == address.port() =>
            {
                self.close().await;
                match Self::bind(address, sources).await {
                    Ok(endpoint) => endpoint,
                    Err(error) => {
                        *self = Self::bind(old, sources).await?;
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
        // A task that panicked has closed the port too.
        let _ = (&mut self.task).await;
    }
}
