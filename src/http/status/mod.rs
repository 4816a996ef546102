//! The status page. It is rendered at each request from `crate::state` alone, and its size is bounded however many
//! sequences there are.
//!
//! | file | what is in it |
//! |---|---|
//! | `model/` | what the page says, as data |
//! | `view/` | the same as HTML |
//! | `page_level.rs` | the levels: word, color, shape |
//! | `line.rs`, `words.rs`, `time.rs` | text with names and times in it; numbers, names and durations as words |
//! | `search_query.rs` | what the page is asked for |
//! | `assets.rs` | stylesheet, script, icon |
//! | `events.rs` | the stream that announces changes to open pages |
//! | `runbooks.rs` | the runbooks that the page links to |

mod assets;
mod events;
mod line;
mod model;
mod page_level;
mod runbooks;
mod search_query;
mod time;
mod view;
mod words;

pub use events::EventStreamLimit;

use super::AppState;
use super::response_limit::ResponseLimiter;
use crate::state::now;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use model::Snapshot;
use search_query::SearchQuery;

/// Pages in memory at once, a hundred kilobytes each at most.
const MAX_PAGES: usize = 8;

/// Only the page's files, and nothing inline, so that an unescaped name from a database could not run as a script. No
/// site may frame the page, and its form leads nowhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// The limits of the status page.
#[derive(Debug, Clone)]
pub struct StatusPage {
    limiter: ResponseLimiter,
    streams: EventStreamLimit,
}

impl Default for StatusPage {
    fn default() -> Self {
        Self { limiter: ResponseLimiter::new(MAX_PAGES), streams: EventStreamLimit::default() }
    }
}

/// The page and its files.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(status_page))
        .route("/events", get(events::events))
        .route("/assets/status.css", get(assets::stylesheet))
        .route("/assets/status.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
        .route("/runbooks/{name}", get(runbooks::runbook))
}

async fn status_page(State(app): State<AppState>, RawQuery(raw): RawQuery) -> Response {
    let query = SearchQuery::read(raw.as_deref().unwrap_or_default());
    let permit = app.status.limiter.acquire().await;
    let state = &app.sources.state;
    // Read first, so that a change during the rendering is announced to the page.
    let revision = *state.revision().borrow();
    let page = view::render(&Snapshot::take(state, now()), revision, &query);
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // It shows this moment only.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, permit.attach(page.into_string().into_bytes())).into_response()
}
