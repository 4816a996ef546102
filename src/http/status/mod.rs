//! The status page: what is well, what is not and why, and what was done. It is made anew at each request, from the
//! board alone, and is bounded however many sequences there are.
//!
//! | file | makes |
//! |---|---|
//! | `page.rs` | the page as a whole |
//! | `sentence.rs` | how a database is, in one sentence |
//! | `database.rs` | a database's section: its sentence, who leads, its session stores |
//! | `rows.rs` | the search over all sequences (`question.rs`), with a bar for each (`bar.rs`) |
//! | `actions.rs` | the timeline |
//! | `moment.rs` | points in time |
//! | `assets.rs` | stylesheet, script, icon |
//! | `live.rs` | the stream that tells an open page that there is news |

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

/// Pages that are in memory at once, a hundred kilobytes each at most.
const PAGES: usize = 8;

/// Nothing but our own files, and nothing inline: a name from a database that came through unescaped would still be
/// no script. Nobody may frame the page, and its form leads nowhere else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// What the status page alone needs.
#[derive(Debug, Clone)]
pub struct StatusPage {
    places: ResponseLimiter,
    streams: EventStreamLimit,
}

impl Default for StatusPage {
    fn default() -> Self {
        Self { places: ResponseLimiter::new(PAGES), streams: EventStreamLimit::default() }
    }
}

/// The page and what belongs to it.
pub fn routes() -> Router<AppState> {
    Router::new()
        .route("/", get(status_page))
        .route("/events", get(events::events))
        .route("/assets/status.css", get(assets::stylesheet))
        .route("/assets/status.js", get(assets::script))
        .route("/assets/icon.svg", get(assets::icon))
}

async fn status_page(State(desk): State<AppState>, RawQuery(query): RawQuery) -> Response {
    let question = SearchQuery::read(query.as_deref().unwrap_or_default());
    let place = desk.status.places.acquire().await;
    let page = page::render(&desk.metrics, &question);
    let headers: [(HeaderName, &str); 3] = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        // Of this moment, and for nobody else.
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, place.attach(page.into_string().into_bytes())).into_response()
}
