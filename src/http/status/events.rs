//! Server-sent events (HTML Living Standard, 9.2): one event after each change, upon which the page fetches itself again.
//!
//! A stream ends before the connection's time limit would cut it off, and the browser opens another with the id of the
//! last event that it has seen, so that no change is missed.

use super::super::AppState;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{Instant, sleep_until, timeout_at};

/// Streams at once: a quarter of the connections.
const MAX_STREAMS: usize = 16;
/// Less than the last response of a connection may take, so that every stream ends completely.
const STREAM_DURATION: Duration = Duration::from_secs(9);
/// A comment this often: a client that has gone is noticed when something is written to it.
const KEEP_ALIVE: Duration = Duration::from_secs(3);
/// From one event to the next: changes in between are one event.
const MIN_INTERVAL: Duration = Duration::from_secs(1);
/// How soon the browser opens the next stream.
const RETRY: Duration = Duration::from_secs(1);

/// How many more streams may be opened.
#[derive(Debug, Clone)]
pub struct EventStreamLimit(Arc<Semaphore>);

impl Default for EventStreamLimit {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(MAX_STREAMS)))
    }
}

/// One open stream.
struct EventStream {
    revision: watch::Receiver<u64>,
    /// The revision that the client has seen.
    seen: Option<u64>,
    /// No event before this.
    next_event: Instant,
    end: Instant,
    _permit: OwnedSemaphorePermit,
}

pub async fn events(State(app): State<AppState>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let Ok(permit) = Arc::clone(&app.status.streams.0).try_acquire_owned() else {
        let retry = [(header::RETRY_AFTER, "10")];
        return (StatusCode::SERVICE_UNAVAILABLE, retry, "too many pages are open\n").into_response();
    };
    let last_id = headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let seen = last_id.or_else(|| query.as_deref().and_then(|query| query.strip_prefix("since=")));
    let now = Instant::now();
    let changes = EventStream {
        revision: app.sources.state.revision(),
        seen: seen.and_then(|seen| seen.parse().ok()),
        next_event: now,
        end: now + STREAM_DURATION,
        _permit: permit,
    };
    let retry = stream::once(async { Ok::<_, Infallible>(Event::default().retry(RETRY)) });
    let events = retry.chain(stream::unfold(changes, EventStream::next));
    let headers = [
        (header::CACHE_CONTROL, "no-store"),
        // Tells nginx not to buffer.
        (header::HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    (headers, Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))).into_response()
}

impl EventStream {
    /// The next event; none at the stream's end, and when the agent shuts down.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        let revision = timeout_at(self.end, self.change()).await.ok()??.to_string();
        Some((Ok(Event::default().id(&revision).data(&revision)), self))
    }

    /// Waits for a revision that the client has not seen. None when the state is gone. Dropping this loses none.
    async fn change(&mut self) -> Option<u64> {
        sleep_until(self.next_event).await;
        let seen = self.seen;
        let revision = *self.revision.wait_for(|revision| Some(*revision) != seen).await.ok()?;
        self.seen = Some(revision);
        self.next_event = Instant::now() + MIN_INTERVAL;
        Some(revision)
    }
}
