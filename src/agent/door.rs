//! Where the agent answers HTTP, which a reload may move.

use super::AgentError;
use crate::http::{self, Heartbeat};
use crate::metrics::Metrics;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An open port; dropping it closes it and every connection.
#[derive(Debug)]
pub struct Door {
    /// As configured: port 0 is any free one, and stays the one that was found.
    configured: SocketAddr,
    found: SocketAddr,
    _stop: DropGuard,
}

impl Door {
    /// # Errors
    ///
    /// When the address cannot be had.
    pub async fn open(address: SocketAddr, metrics: &Arc<Metrics>, heartbeat: &Heartbeat) -> Result<Self, AgentError> {
        let failed = |source| AgentError::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let found = listener.local_addr().map_err(failed)?;
        tracing::info!("listening on http://{found}");
        let stop = CancellationToken::new();
        tokio::spawn(http::serve(listener, Arc::clone(metrics), heartbeat.clone(), stop.clone()));
        Ok(Self { configured: address, found, _stop: stop.drop_guard() })
    }

    /// With the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.found
    }

    pub fn is_at(&self, configured: SocketAddr) -> bool {
        self.configured == configured
    }
}
