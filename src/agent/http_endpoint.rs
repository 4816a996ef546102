//! The address that HTTP listens on, which a reload may change, and which may be none.

use super::AgentError;
use crate::config::Http;
use crate::http::{self, Sources};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The endpoint as it is configured; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct HttpEndpoint {
    /// As configured: port 0 means any free port, and the port that was found stays.
    configured: Http,
    open: Option<OpenPort>,
}

#[derive(Debug)]
struct OpenPort {
    bound: SocketAddr,
    stop: DropGuard,
    closed: oneshot::Receiver<()>,
}

impl HttpEndpoint {
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn bind(settings: &Http, sources: &Sources) -> Result<Self, AgentError> {
        let configured = settings.clone();
        let Some(address) = settings.listen else {
            tracing::info!("http.listen is off: no status page, no metrics, no probes");
            return Ok(Self { configured, open: None });
        };
        let failed = |source| AgentError::Listen { address, source };
        let listener = listen(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let scheme = if settings.tls.is_some() { "https" } else { "http" };
        tracing::info!("listening on {scheme}://{bound}");
        let stop = CancellationToken::new();
        let listener = listener.into_std().map_err(failed)?;
        let closed = http::serve(listener, bound, settings, sources.clone(), stop.clone()).map_err(failed)?;
        Ok(Self { configured, open: Some(OpenPort { bound, stop: stop.drop_guard(), closed }) })
    }

    /// With the port that was found; none where there is no endpoint.
    pub fn address(&self) -> Option<SocketAddr> {
        self.open.as_ref().map(|open| open.bound)
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
        let port = |settings: &Http| settings.listen.map(|address| address.port());
        *self = match Self::bind(settings, sources).await {
            Ok(endpoint) => endpoint,
            // The old address may be in the way, as 127.0.0.1 is in the way of 0.0.0.0: close it first.
            Err(AgentError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && port(&old) == port(settings) =>
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
        if let Some(OpenPort { stop, closed, .. }) = self.open.take() {
            drop(stop);
            // A thread that panicked has closed the port too.
            let _ = closed.await;
        }
    }
}

/// Every IPv6 address includes every IPv4 address; a machine without IPv6 has those alone.
async fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(_) if address.is_ipv6() && address.ip().is_unspecified() && !has_ipv6().await => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, address.port())).await
        }
        bound => bound,
    }
}

async fn has_ipv6() -> bool {
    TcpListener::bind("[::1]:0").await.is_ok()
}
