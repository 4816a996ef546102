//! What the agent shows over HTTP: the status page, metrics, probes, the last reports. It reads and never changes
//! anything. And the question of a health check, whether it still does.

mod healthcheck;
mod heartbeat;
mod reports;
mod response_limit;
mod server;
mod status;

pub use healthcheck::{HealthcheckError, healthcheck};
pub use heartbeat::Heartbeat;
pub use server::serve;

use crate::metrics::Metrics;
use axum::Router;
use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use reports::Reports;
use status::StatusPage;
use std::sync::Arc;

/// What a request's body may hold, in bytes. None is read: this is about being polite to who sends much.
const LARGEST_BODY: u64 = 16 * 1024;

/// What the pages are made from.
#[derive(Debug, Clone)]
struct AppState {
    metrics: Arc<Metrics>,
    heartbeat: Heartbeat,
    reports: Reports,
    status: StatusPage,
}

fn router(metrics: Arc<Metrics>, heartbeat: Heartbeat) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/healthz", get(readyz))
        .route("/api/v1/reports", get(reports_page))
        .merge(status::routes())
        .with_state(AppState { metrics, heartbeat, reports: Reports::default(), status: StatusPage::default() })
        .layer(from_fn(reject_large_body))
        .layer(map_response(security_headers))
}

/// Says at once that nothing is done with it, whatever the page.
async fn reject_large_body(request: Request, next: Next) -> Response {
    if request.body().size_hint().lower() > LARGEST_BODY {
        return (StatusCode::PAYLOAD_TOO_LARGE, "no page here takes a body\n").into_response();
    }
    next.run(request).await
}

/// No browser is to guess at a page's kind, nor to tell others where it came from.
async fn security_headers(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

async fn metrics_page(State(desk): State<AppState>) -> Response {
    match desk.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The loop's heartbeat, never the database: restarting the agent fixes no database.
async fn livez(State(desk): State<AppState>) -> Response {
    match desk.heartbeat.silent_for() {
        Some(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the schedule has not fired for {seconds} s\n")).into_response()
        }
        None => "ok\n".into_response(),
    }
}

/// The configuration is loaded, or we would not be here, and a first connection was made: by a standby too, and
/// whatever became of the database since, for taking the agent out of service fixes none.
async fn readyz(State(desk): State<AppState>) -> Response {
    if desk.metrics.board().ready() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no database could be reached yet\n").into_response()
    }
}

async fn reports_page(State(desk): State<AppState>) -> Response {
    match desk.reports.render(desk.metrics.board()).await {
        Ok(text) => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}
