//! Accepting connections, few at a time and none for long.

use super::heartbeat::Heartbeat;
use super::router;
use crate::metrics::Metrics;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

/// Connections at once; one more waits in the kernel's queue.
const CONNECTIONS: usize = 64;
/// A client that sends its headers drop by drop does not hold a connection for long.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// Nor does one that reads the answer drop by drop, or leaves its connection open; a scraper opens another.
const CONNECTION_WITHIN: Duration = Duration::from_secs(120);
/// Headers included.
const BUFFER: usize = 16 * 1024;
const HEADERS: usize = 64;

/// Answers until `stop` is cancelled. No request changes anything, and no body is read.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, heartbeat: Heartbeat, stop: CancellationToken) {
    let service = TowerToHyperService::new(router(metrics, heartbeat));
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match stream {
            Ok((stream, _)) => {
                let service = service.clone();
                let stop = stop.clone();
                tokio::spawn(async move {
                    converse(stream, service, stop).await;
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, most likely: a moment, instead of a busy loop.
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn converse(stream: TcpStream, service: TowerToHyperService<axum::Router>, stop: CancellationToken) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service);
    // However it ends, the client's faults are no news of ours.
    tokio::select! {
        () = stop.cancelled() => {}
        _ = tokio::time::timeout(CONNECTION_WITHIN, connection) => {}
    }
}
