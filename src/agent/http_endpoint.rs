//! The address that HTTP listens on, which a reload may change.

use super::AgentError;
use crate::config::Http;
use crate::http::{self, Sources};
use std::io::ErrorKind;
use std::net::SocketAddr;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// An open port; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct HttpEndpoint {
    /// As configured: port 0 means any free port, and the port that was found stays.
    configured: Http,
    bound: SocketAddr,
    stop: DropGuard,
    ended: oneshot::Receiver<()>,
}

impl HttpEndpoint {
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn bind(settings: &Http, sources: &Sources) -> Result<Self, AgentError> {
        let address = settings.listen;
        let failed = |source| AgentError::Listen { address, source };
        let listener = tokio::net::TcpListener::bind(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        tracing::info!("listening on {scheme}://{bound}");
        let stop = CancellationToken::new();
        let listener = listener.into_std().map_err(failed)?;
        let ended = http::serve(listener, bound, settings, sources.clone(), stop.clone()).map_err(failed)?;
        Ok(Self { configured: settings.clone(), bound, stop: stop.drop_guard(), ended })
    }

    /// With the port that was found.
    pub fn address(&self) -> SocketAddr {
        self.bound
    }

    /// Serves by other settings from now on.
    ///
    /// # Errors
    ///
    /// When the address cannot be bound; then the old one stays.
    pub async fn rebind(&mut self, settings: &Http, sources: &Sources) -> Result<(), AgentError> {
        let old = self.configured.clone();
        if old == *settings {
            return Ok(());
        }
        *self = match Self::bind(settings, sources).await {
            Ok(endpoint) => endpoint,
            // The old address may be in the way, as 127.0.0.1 is in the way of 0.0.0.0: close it first.
            Err(AgentError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && old.listen.port() == settings.listen.port() =>
            {
                self.close().await;
                match Self::bind(settings, sources).await {
                    Ok(endpoint) => endpoint,
                    Err(error) => {
                        *self = Self::bind(&old, sources).await?;
                        return Err(error);
                    }
                }
            }
            Err(error) => return Err(error),
        };
        Ok(())
    }

    async fn close(&mut self) {
        std::mem::replace(&mut self.stop, CancellationToken::new().drop_guard()).disarm().cancel();
        // A thread that panicked has closed the port too.
        let _ = (&mut self.ended).await;
    }
}
