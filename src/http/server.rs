//! Accepts connections: a limited number, each for a limited time, in a thread apart from the passes.

use super::{Sources, router};
use crate::config::Http;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use std::{io, thread};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

/// Connections at once. One more closes the oldest, so that a probe gets its response however many idle clients there
/// are.
const CONNECTIONS: usize = 64;
/// For the headers of a request: a client that sends them slowly, or not at all, is disconnected.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// For one connection, however many requests it carries: a scraper opens another.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);
/// After that, for the response in progress: a client that reads slowly does not get all of it.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);
/// For a client that still sends after its response.
const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
/// Bytes of a request, headers included.
const BUFFER: usize = 16 * 1024;
const HEADERS: usize = 64;
/// Threads beside the one that serves: one for a page, one for the metrics, one for passwords, the others for reports,
/// which wait for their readers.
const RENDERERS: usize = 7;

/// Serves until `stop` is cancelled; the receiver tells when the port is closed. No request changes anything, and no body
/// is read.
///
/// In a thread and a runtime apart: requests hold up no pass, and a pass holds up no probe.
///
/// # Errors
///
/// When the operating system gives no thread or no event loop.
pub fn serve(
    listener: std::net::TcpListener,
    address: SocketAddr,
    settings: &Http,
    sources: Sources,
    stop: CancellationToken,
) -> io::Result<oneshot::Receiver<()>> {
    let router = router(sources, address, settings);
    let tls = settings.tls.as_ref().map(|identity| TlsAcceptor::from(Arc::clone(&identity.server)));
    let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(RENDERERS).build()?;
    let (closed, ended) = oneshot::channel();
    thread::Builder::new().name("http".to_owned()).spawn(move || {
        runtime.block_on(async {
            match TcpListener::from_std(listener) {
                Ok(listener) => accept(listener, router, tls, stop).await,
                Err(error) => tracing::error!("http.listen {address}: {error}"),
            }
        });
        // A response that is being rendered has lost its client.
        runtime.shutdown_background();
        let _ = closed.send(());
    })?;
    Ok(ended)
}

async fn accept(listener: TcpListener, router: axum::Router, tls: Option<TlsAcceptor>, stop: CancellationToken) {
    let service = TowerToHyperService::new(router);
    // Dropped, and so aborted, when this returns.
    let mut connections = JoinSet::new();
    // Oldest first.
    let mut open: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                while connections.try_join_next().is_some() {}
                open.retain(|task| !task.is_finished());
                while open.len() >= max_connections() {
                    let Some(oldest) = open.pop_front() else { break };
                    oldest.abort();
                }
                open.push_back(connections.spawn(serve_client(stream, tls.clone(), service.clone())));
                // Let the new connection be polled before the next accept, which may close it.
                yield_now().await;
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                // Most likely there is no file descriptor left: close the oldest connection, because a probe may wait.
                // The pause avoids a busy loop.
                if let Some(oldest) = open.pop_front() {
                    oldest.abort();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// At most a quarter of the file descriptors, so that enough remain for the databases.
fn max_connections() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    CONNECTIONS.min(usize::try_from(files / 4).unwrap_or(CONNECTIONS)).max(1)
}

/// Errors of the client are not logged.
async fn serve_client(stream: TcpStream, tls: Option<TlsAcceptor>, service: TowerToHyperService<axum::Router>) {
    match tls {
        None => serve_connection(stream, service).await,
        Some(tls) => {
            if let Ok(Ok(stream)) = timeout(HEADER_TIMEOUT, tls.accept(stream)).await {
                serve_connection(stream, service).await;
            }
        }
    }
}

async fn serve_connection<S>(stream: S, service: TowerToHyperService<axum::Router>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_headers(HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| Box::pin(service.call(request))));
    if timeout(CONNECTION_TIMEOUT, poll_fn(|context| connection.poll_without_shutdown(context))).await.is_err() {
        // Ends at once between two requests, and after the response otherwise.
        Pin::new(&mut connection).graceful_shutdown();
        if timeout(RESPONSE_TIMEOUT, poll_fn(|context| connection.poll_without_shutdown(context))).await.is_err() {
            return;
        }
    }
    lingering_close(connection.into_parts().io.into_inner()).await;
}

/// Closes, and reads what the client still sends: unread data would make the kernel reset the connection, and the client
/// would lose the response.
async fn lingering_close(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let rest = async {
        stream.shutdown().await?;
        copy(&mut stream, &mut sink()).await
    };
    let _closed = timeout(LINGER_TIMEOUT, rest).await;
}
