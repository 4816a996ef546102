//! The status page. It is rendered at each request from `crate::state` alone, and its size is bounded however many
//! sequences there are.
//!
//! | file | what is in it |
//! |---|---|
//! | `page.rs` | the page as a whole |
//! | `summary.rs` | a database in one sentence |
//! | `database.rs` | a database's section: its sentence, its leader, its session stores |
//! | `attention.rs` | what a person has to act upon, and the fix |
//! | `rows.rs` | the search over all sequences (`search_query.rs`), with a bar for each (`bar.rs`) |
//! | `history.rs` | the recent activity |
//! | `time.rs` | points in time |
//! | `assets.rs` | stylesheet, script, icon |
//! | `events.rs` | the stream that announces changes to open pages |

mod assets;
mod attention;
mod bar;
mod database;
mod events;
mod history;
mod page;
mod rows;
mod search_query;
mod summary;
mod time;

pub use events::EventStreamLimit;

use super::AppState;
use super::response_limit::ResponseLimiter;
use axum::Router;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
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
}

async fn status_page(State(app): State<AppState>, RawQuery(raw): RawQuery) -> Response {
    let query = SearchQuery::read(raw.as_deref().unwrap_or_default());
    let permit = app.status.limiter.acquire().await;
    let page = page::render(&app.sources.state, &query);
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // It shows this moment only.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, permit.attach(page.into_string().into_bytes())).into_response()
}
