//! Accepting connections, few at a time and none for long.

use super::heartbeat::Heartbeat;
use super::router;
use crate::metrics::Metrics;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use nix::sys::resource::{Resource, getrlimit};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, copy, sink};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, JoinSet, yield_now};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

/// Connections at once. One more takes the place of the oldest, so that however many clients dawdle, a probe that has
/// its request ready is answered.
const CONNECTIONS: usize = 64;
/// A client that sends its headers drop by drop, or no request, does not hold a connection for long.
const HEADERS_WITHIN: Duration = Duration::from_secs(5);
/// Nor does one that asks again and again: a scraper opens another connection.
const CONNECTION_WITHIN: Duration = Duration::from_secs(20);
/// From then on, for the answer that is being given: a client that reads drop by drop does not get all of it.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// For a client that still sends when it has been answered.
const LINGER: Duration = Duration::from_secs(5);
/// Headers included.
const BUFFER: usize = 16 * 1024;
const HEADERS: usize = 64;

/// Answers until `stop` is cancelled. No request changes anything, and no body is read.
pub async fn serve(listener: TcpListener, metrics: Arc<Metrics>, heartbeat: Heartbeat, stop: CancellationToken) {
    let service = TowerToHyperService::new(router(metrics, heartbeat));
    // Ended with us.
    let mut conversations = JoinSet::new();
    // Oldest first.
    let mut places: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => {
                while conversations.try_join_next().is_some() {}
                places.retain(|place| !place.is_finished());
                while places.len() >= connections() {
                    let Some(oldest) = places.pop_front() else { break };
                    oldest.abort();
                }
                places.push_back(conversations.spawn(serve_connection(stream, service.clone())));
                // Who came is heard before the next is let in, and may be in its way.
                yield_now().await;
            }
            Err(error) => {
                tracing::debug!(%error, "a connection was not accepted");
                // Out of file descriptors, most likely: the oldest gives its own up, for a probe may be waiting. And a
                // moment, instead of a busy loop.
                if let Some(oldest) = places.pop_front() {
                    oldest.abort();
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// How many are let in: of few file descriptors, a quarter, so that the databases are still reached.
fn connections() -> usize {
    let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(u64::MAX, |(soft, _)| soft);
    CONNECTIONS.min(usize::try_from(files / 4).unwrap_or(CONNECTIONS)).max(1)
}

/// However it ends, the client's faults are no news of ours.
async fn serve_connection(stream: TcpStream, service: TowerToHyperService<axum::Router>) {
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(HEADERS)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(stream), service_fn(move |request| Box::pin(service.call(request))));
    if timeout(CONNECTION_WITHIN, poll_fn(|context| connection.poll_without_shutdown(context))).await.is_err() {
        // Ends at once between two requests: a scraper's answer is not cut off in its middle.
        Pin::new(&mut connection).graceful_shutdown();
        if timeout(ANSWER_WITHIN, poll_fn(|context| connection.poll_without_shutdown(context))).await.is_err() {
            return;
        }
    }
    lingering_close(connection.into_parts().io.into_inner()).await;
}

/// Closes, and lets a client that still sends read our answer: data that nobody has read would make the kernel reset
/// the connection, and the client lose the answer.
async fn lingering_close(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown().await?;
        copy(&mut stream, &mut sink()).await
    };
    let _closed = timeout(LINGER, rest).await;
}
