//! One request to the receiver, bounded in time and in what is read of the response.

use hyper::client::conn::http1;
use hyper::{Method, Request, StatusCode, header};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::Url;

/// For one request, from the look-up of the name to the status of the response.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// Why a request failed. It names the receiver's host and never the URL, which is a secret.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error("{host}: {source}")]
    Connect { host: String, source: io::Error },
    #[error("{host}: the TLS handshake failed: {source}")]
    Tls { host: String, source: io::Error },
    #[error("{host}: {source}")]
    Http { host: String, source: hyper::Error },
    #[error("{host}: no answer within {}", humantime::format_duration(REQUEST_TIMEOUT))]
    Timeout { host: String },
    #[error("{host}: answered {status}, expected 2xx")]
    Status { host: String, status: StatusCode },
    #[error("{host}: {problem}")]
    Unusable { host: String, problem: String },
}

impl PostError {
    /// Whether the same request may succeed later.
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Status { status, .. } => {
                status.is_server_error()
                    || matches!(*status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Unusable { .. } => false,
            _ => true,
        }
    }
}

/// Posts a JSON body.
///
/// # Errors
///
/// When the receiver does not answer with a status of success in time. A redirect is no success: it is not followed.
pub async fn post(url: &Url, body: String) -> Result<(), PostError> {
    let host = url.host_str().unwrap_or_default().to_owned();
    let request = async {
        let port = url.port_or_known_default().unwrap_or(443);
        // An IPv6 address stands in brackets in a URL, and without them here.
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await;
        let stream = stream.map_err(|source| PostError::Connect { host: host.clone(), source })?;
        if url.scheme() == "http" {
            return exchange(stream, url, &host, body).await;
        }
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|error| PostError::Unusable { host: host.clone(), problem: error.to_string() })?;
        let stream = connector(&host)?.connect(name, stream).await;
        exchange(stream.map_err(|source| PostError::Tls { host: host.clone(), source })?, url, &host, body).await
    };
    match timeout(REQUEST_TIMEOUT, request).await {
        Ok(result) => result,
        Err(_) => Err(PostError::Timeout { host }),
    }
}

/// Trusts the authorities of the operating system, or those of `SSL_CERT_FILE`.
fn connector(host: &str) -> Result<TlsConnector, PostError> {
    let mut roots = RootCertStore::empty();
    // One that cannot be read is left out; with none at all, the handshake fails and says so.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| PostError::Unusable { host: host.to_owned(), problem: error.to_string() })?;
    Ok(TlsConnector::from(Arc::new(config.with_root_certificates(roots).with_no_client_auth())))
}

async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    url: &Url,
    host: &str,
    body: String,
) -> Result<(), PostError> {
    let failed = |source| PostError::Http { host: host.to_owned(), source };
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let _connection = AbortOnDropHandle::new(tokio::spawn(connection));
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, &url[url::Position::BeforeHost..url::Position::AfterPort])
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, concat!("pgmedic/", env!("CARGO_PKG_VERSION")))
        .header(header::CONTENT_LENGTH, body.len())
        .body(body)
        .map_err(|error| PostError::Unusable { host: host.to_owned(), problem: error.to_string() })?;
    // The body of the response is not read.
    let status = sender.send_request(request).await.map_err(failed)?.status();
    if status.is_success() { Ok(()) } else { Err(PostError::Status { host: host.to_owned(), status }) }
}
