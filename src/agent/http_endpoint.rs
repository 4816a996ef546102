//! The address that HTTP listens on, which a reload may change, and which may be none.

use super::AgentError;
use crate::http::{self, Sources};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// The endpoint as it is configured; dropping it closes the port and every connection.
#[derive(Debug)]
pub struct HttpEndpoint {
    /// As configured: port 0 means any free port, and the port that was found stays.
    configured: Option<SocketAddr>,
    open: Option<OpenPort>,
}

#[derive(Debug)]
struct OpenPort {
    bound: SocketAddr,
    stop: CancellationToken,
    task: AbortOnDropHandle<()>,
}

impl HttpEndpoint {
    /// # Errors
    ///
    /// When the address cannot be bound.
    pub async fn bind(address: Option<SocketAddr>, sources: &Sources) -> Result<Self, AgentError> {
        let Some(address) = address else {
            tracing::info!("http.listen is off: no status page, no metrics, no probes");
            return Ok(Self { configured: None, open: None });
        };
        let failed = |source| AgentError::Listen { address, source };
        let listener = listen(address).await.map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        tracing::info!("listening on http://{bound}");
        let stop = CancellationToken::new();
        let serving = http::serve(listener, sources.clone(), stop.clone());
        let task = AbortOnDropHandle::new(tokio::spawn(serving));
        Ok(Self { configured: Some(address), open: Some(OpenPort { bound, stop, task }) })
    }

    /// With the port that was found; none where there is no endpoint.
    pub fn address(&self) -> Option<SocketAddr> {
        self.open.as_ref().map(|open| open.bound)
    }

    /// Listens on another address from now on.
    ///
    /// # Errors
    ///
    /// When that cannot be bound; then the old one stays.
    pub async fn rebind(&mut self, address: Option<SocketAddr>, sources: &Sources) -> Result<(), AgentError> {
        let old = self.configured;
        if old == address {
            return Ok(());
        }
        let port = |address: Option<SocketAddr>| address.map(|address| address.port());
        *self = match Self::bind(address, sources).await {
            Ok(endpoint) => endpoint,
            // The old address may be in the way, as 127.0.0.1 is in the way of 0.0.0.0: close it first.
            Err(AgentError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && port(old) == port(address) =>
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
        if let Some(mut open) = self.open.take() {
            open.stop.cancel();
            // A task that panicked has closed the port too.
            let _ = (&mut open.task).await;
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
