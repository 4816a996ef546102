//! The status page. It is rendered at each request from `crate::state` alone, and its size is bounded however many
//! sequences there are.
//!
//! | file | what is in it |
//! |---|---|
//! | `model/` | what the page says, as data |
//! | `view/` | the same as HTML |
//! | `page_level.rs` | the levels: word, color, shape |
//! | `line.rs`, `words.rs`, `time.rs` | text with names and times in it; numbers, names and durations as words |
//! | `search_query.rs`, `sequence_query.rs` | what the page, and the page of one sequence, are asked for |
//! | `assets.rs` | stylesheet, script, icon |
//! | `events.rs` | the stream that announces changes to open pages |
//! | `runbooks.rs` | the runbooks that the page links to |

mod assets;
mod events;
mod line;
mod model;
mod page_level;
mod runbooks;
#[cfg(test)]
mod samples;
mod search_query;
mod sequence_query;
mod time;
mod view;
mod words;

pub use events::EventStreamLimit;

use super::AppState;
use super::response_limit::ResponseLimiter;
use crate::config::Http;
use crate::state::now;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::Markup;
use model::one_sequence::OneSequence;
use model::{PageLinks, Snapshot};
use search_query::SearchQuery;
use sequence_query::SequenceQuery;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Pages in memory at once, a hundred kilobytes each at most.
const MAX_PAGES: usize = 8;
/// Pages that are rendered at once: passes need the processor too.
const MAX_RENDERED: usize = 1;

/// Only the page's files, and nothing inline, so that an unescaped name from a database could not run as a script. No
/// site may frame the page, and its form leads nowhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The limits of the status page, and its links.
#[derive(Debug, Clone)]
pub struct StatusPage {
    links: Arc<PageLinks>,
    limiter: ResponseLimiter,
    rendering: Arc<Semaphore>,
    streams: EventStreamLimit,
}

impl StatusPage {
    pub fn new(settings: &Http) -> Self {
        Self {
            links: Arc::new(PageLinks { elsewhere: settings.links.clone(), agents: settings.agents.clone() }),
            limiter: ResponseLimiter::new(MAX_PAGES),
            rendering: Arc::new(Semaphore::new(MAX_RENDERED)),
            streams: EventStreamLimit::default(),
        }
    }
}

/// The page and its files.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(status_page))
        .route("/sequence", get(sequence_page))
        .route("/events", get(events::events))
        .route("/assets/status.css", get(assets::stylesheet))
        .route("/assets/status.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/runbooks/{name}", get(runbooks::runbook))
}

async fn status_page(State(app): State<AppState>, RawQuery(raw): RawQuery) -> Response {
    let query = SearchQuery::read(raw.as_deref().unwrap_or_default());
    respond(app, move |snapshot, revision| (StatusCode::OK, view::render(snapshot, revision, &query))).await
}

async fn sequence_page(State(app): State<AppState>, RawQuery(raw): RawQuery) -> Response {
    let query = SequenceQuery::read(raw.as_deref().unwrap_or_default());
    respond(app, move |snapshot, revision| {
        let facts = snapshot.facts();
        match OneSequence::of(&query, snapshot, &facts) {
            Some(sequence) => (StatusCode::OK, view::render_sequence(snapshot, &facts, revision, &sequence)),
            None => (StatusCode::NOT_FOUND, view::render_unknown_sequence(snapshot, &facts, revision, &query)),
        }
    })
    .await
}

/// Answers with a page of the present state. `render` is given the number of the state's last change.
async fn respond(
    app: AppState,
    render: impl FnOnce(&Snapshot, u64) -> (StatusCode, Markup) + Send + 'static,
) -> Response {
    let permit = app.status.limiter.acquire().await;
    let rendering = Arc::clone(&app.status.rendering).acquire_owned().await;
    let (state, links) = (Arc::clone(&app.sources.state), Arc::clone(&app.status.links));
    // Apart from the event loop, which answers probes meanwhile.
    let page = spawn_blocking(move || {
        let _rendering = rendering;
        // Read first, so that a change during the rendering is announced to the page.
        let revision = *state.revision().borrow();
        let (status, page) = render(&Snapshot::take(&state, &links, now()), revision);
        (status, page.into_string())
    });
    let Ok((status, page)) = page.await else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // It shows this moment only.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, permit.attach(page.into_bytes())).into_response()
}
