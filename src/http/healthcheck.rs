//! The client of `/livez`: the health check of images that contain no other program.

use super::pinned_certificate::connector;
use crate::config::{ConfigError, Http, TlsIdentity};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// `/livez` needs no database: an agent that takes this long is stuck.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(3);

/// More bytes than a response of `/livez` ever has.
const MAX_RESPONSE: u64 = 4096;

/// Why the agent does not count as alive.
#[derive(Debug, thiserror::Error)]
pub enum HealthcheckError {
    /// Its address is unknown. The exit code is 1 as for the others, because Docker reserves 2.
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("http.listen is \"off\": there is no endpoint to ask; leave the health check out, or set an address")]
    Off,
    #[error("http.listen has port 0, any free one: set a number, so that the health check knows the port")]
    AnyPort,
    #[error("http://{address}/livez: {source}; does the agent run, with the same http.listen?")]
    Unreachable { address: SocketAddr, source: io::Error },
    #[error("http://{address}/livez: no answer within {}", humantime::format_duration(*.within))]
    Timeout { address: SocketAddr, within: Duration },
    #[error("http://{address}/livez: found {found:?}, expected status 200")]
    Unhealthy { address: SocketAddr, found: String },
}

/// Asks the agent that listens on the address in `http`.
///
/// # Errors
///
/// When it does not respond, or responds that it is not alive.
pub async fn healthcheck(http: Http) -> Result<(), HealthcheckError> {
    let listen = http.listen.ok_or(HealthcheckError::Off)?;
    ask(reachable(listen)?, http.tls.as_ref(), RESPONSE_TIMEOUT).await
}

/// An agent that listens on every address is asked on the loopback address.
fn reachable(listen: SocketAddr) -> Result<SocketAddr, HealthcheckError> {
    if listen.port() == 0 {
        return Err(HealthcheckError::AnyPort);
    }
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    Ok(SocketAddr::new(ip, listen.port()))
}

async fn ask(address: SocketAddr, tls: Option<&TlsIdentity>, within: Duration) -> Result<(), HealthcheckError> {
    let answer = match timeout(within, connect(address, tls)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(source)) => return Err(HealthcheckError::Unreachable { address, source }),
        Err(_) => return Err(HealthcheckError::Timeout { address, within }),
    };
    if answer.starts_with("HTTP/1.1 200 ") {
        return Ok(());
    }
    // The status, and the text in the body.
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.lines().next().unwrap_or_default();
    Err(HealthcheckError::Unhealthy { address, found: format!("{status} {body}").trim().to_owned() })
}

async fn connect(address: SocketAddr, tls: Option<&TlsIdentity>) -> io::Result<String> {
    let stream = TcpStream::connect(address).await?;
    let Some(certificate) = tls.and_then(|identity| identity.chain.first()) else {
        return exchange(stream, address).await;
    };
    let connector = connector(certificate.clone()).map_err(io::Error::other)?;
    exchange(connector.connect(address.ip().into(), stream).await?, address).await
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, address: SocketAddr) -> io::Result<String> {
    let request = format!("GET /livez HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(MAX_RESPONSE).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
#[path = "healthcheck_tests.rs"]
mod tests;
