//! The agent's HTTP endpoint: status page, metrics, probes, last reports. It reads `crate::state` and `crate::metrics`, and
//! changes nothing.
//!
//! | file | what is in it |
//! |---|---|
//! | `server.rs` | connections, their number and their time limits |
//! | `mod.rs` | routes; `/metrics`, `/livez`, `/readyz` |
//! | `host.rs`, `basic_auth.rs` | which names of a host are answered; passwords |
//! | `reports.rs` | `/api/v1/reports` |
//! | `status/` | the status page |
//! | `response_limit.rs` | how many large responses are in memory at once |
//! | `heartbeat.rs` | the time of the scheduler's last beat, which `/livez` checks |
//! | `healthcheck.rs`, `pinned_certificate.rs` | the client of `/livez`, for `pgmedic healthcheck` |

mod basic_auth;
mod healthcheck;
mod heartbeat;
mod host;
mod pinned_certificate;
mod reports;
mod response_limit;
mod server;
mod status;

pub use healthcheck::{HealthcheckError, healthcheck};
pub use heartbeat::Heartbeat;
pub use server::serve;

use crate::config::Http;
use crate::metrics::Metrics;
use crate::state::AgentState;
use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::stream;
use host::KnownHosts;
use reports::Reports;
use status::StatusPage;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::spawn_blocking;

/// Bytes that a request may announce as its body. No body is read; a larger one is refused at once.
const LARGEST_BODY: u64 = 16 * 1024;

/// What the pages show.
#[derive(Debug, Clone)]
pub struct Sources {
    pub state: Arc<AgentState>,
    pub metrics: Arc<Metrics>,
    pub heartbeat: Heartbeat,
}

/// What the handlers share.
#[derive(Debug, Clone)]
struct AppState {
    sources: Sources,
    reports: Reports,
    status: StatusPage,
}

fn router(sources: Sources, address: SocketAddr, settings: &Http) -> Router {
    let hosts = KnownHosts::new(address.ip(), &settings.allowed_hosts);
    let users = basic_auth::Users::new(&settings.users);
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/healthz", get(readyz))
        .route("/api/v1/reports", get(reports_page))
        .merge(status::routes())
        .with_state(AppState { sources, reports: Reports::default(), status: StatusPage::new(settings) })
        .layer(from_fn(reject_large_body))
        .layer(from_fn_with_state(users, basic_auth::require_password))
        .layer(from_fn_with_state(hosts, host::reject_unknown_host))
        .layer(map_response(security_headers))
}

/// Refuses a large body before it is sent, on every page.
async fn reject_large_body(request: Request, next: Next) -> Response {
    if request.body().size_hint().lower() > LARGEST_BODY {
        return (StatusCode::PAYLOAD_TOO_LARGE, "no page here takes a body\n").into_response();
    }
    next.run(request).await
}

/// Keeps browsers from guessing content types, from sending the page's address to other sites, and other sites from
/// loading what is served here.
async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    response
}

/// Is sent family by family: of a thousand databases, the whole text would take megabytes.
async fn metrics_page(State(app): State<AppState>) -> Response {
    let metrics = Arc::clone(&app.sources.metrics);
    match spawn_blocking(move || metrics.scrape()).await {
        Ok(scrape) => {
            let body = Body::from_stream(stream::iter(scrape.into_texts()));
            ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], body).into_response()
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Whether the scheduler fires. It does not depend on databases: a restart of the agent would fix none.
async fn livez(State(app): State<AppState>) -> Response {
    match app.sources.heartbeat.silent_for() {
        Some(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the schedule has not fired for {seconds} s\n")).into_response()
        }
        None => "ok\n".into_response(),
    }
}

/// Whether a first connection to a database was made, also by a standby. It stays ready when the database goes down,
/// because taking the agent out of service fixes no database.
async fn readyz(State(app): State<AppState>) -> Response {
    if app.sources.state.ready() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no database could be reached yet\n").into_response()
    }
}

async fn reports_page(State(app): State<AppState>) -> Response {
    let body = app.reports.stream(Arc::clone(&app.sources.state)).await;
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}
