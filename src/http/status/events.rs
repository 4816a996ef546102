//! Server-sent events (HTML Living Standard, 9.2): one each time that there is news, which the page then fetches.
//!
//! A stream ends by itself, sooner than a connection would be ended in its middle, and the browser opens another: it
//! tells what it has seen last, so nothing is missed in between.

use super::super::AppState;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Streams at once: a quarter of the connections that there are.
const STREAMS: usize = 16;
/// Less than a connection's last answer may take, and so every stream may end in good order.
const ENDS_AFTER: Duration = Duration::from_secs(9);
/// A reader that has gone is noticed when something is written to it.
const HEARTBEAT: Duration = Duration::from_secs(3);
/// From one event to the next: much that happens at once is one piece of news.
const PAUSE: Duration = Duration::from_secs(1);

/// The places that are left.
#[derive(Debug, Clone)]
pub struct EventStreamLimit(Arc<Semaphore>);

impl Default for EventStreamLimit {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(STREAMS)))
    }
}

/// One open stream.
struct EventStream {
    revision: watch::Receiver<u64>,
    /// What the reader knows.
    seen: Option<u64>,
    begun: bool,
    /// No event sooner.
    quiet_until: Instant,
    end: Instant,
    _place: OwnedSemaphorePermit,
}

pub async fn events(State(desk): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Ok(place) = Arc::clone(&desk.status.streams.0).try_acquire_owned() else {
        let retry = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, "too many pages are open\n").into_response();
    };
    let known = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let known = known.or_else(|| query.as_deref().and_then(|query| query.strip_prefix("since=")));
    let now = Instant::now();
    let telling = EventStream {
        revision: desk.metrics.board().revision(),
        seen: known.and_then(|known| known.parse().ok()),
        begun: false,
        quiet_until: now,
        end: now + ENDS_AFTER,
        _place: place,
    };
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        // Said to nginx: do not collect.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Body::from_stream(stream::unfold(telling, EventStream::next))).into_response()
}

impl EventStream {
    /// The next piece of the stream; none at its end.
    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        if !self.begun {
            self.begun = true;
            return Some((Ok(Bytes::from_static(b"retry: 1000\n\n")), self));
        }
        let now = Instant::now();
        if now >= self.end {
            return None;
        }
        let wake = self.end.min(now + HEARTBEAT);
        let piece = match timeout_at(wake, self.news()).await {
            Ok(Some(revision)) => Bytes::from(format!("id: {revision}\ndata: {revision}\n\n")),
            // Its board is gone, and so are we.
            Ok(None) => return None,
            Err(_) => Bytes::from_static(b":\n\n"),
        };
        Some((Ok(piece), self))
    }

    /// Waits for a revision that the reader does not know. Dropping this loses none.
    async fn news(&mut self) -> Option<u64> {
        sleep_until(self.quiet_until).await;
        let seen = self.seen;
        let revision = *self.revision.wait_for(|revision| Some(*revision) != seen).await.ok()?;
        self.seen = Some(revision);
        self.quiet_until = Instant::now() + PAUSE;
        Some(revision)
    }
}
