//! What the agent shows over HTTP: metrics, probes, the last reports. It reads and never changes anything. And the
//! question of a health check, whether it still does.

mod heartbeat;
mod probe;
mod server;

pub use heartbeat::Heartbeat;
pub use probe::{ProbeError, probe};
pub use server::serve;

use crate::metrics::Metrics;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;

/// What the pages are made from.
#[derive(Debug, Clone)]
struct Desk {
    metrics: Arc<Metrics>,
    heartbeat: Heartbeat,
}

fn router(metrics: Arc<Metrics>, heartbeat: Heartbeat) -> Router {
    Router::new()
        .route("/metrics", get(metrics_page))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .route("/healthz", get(ready))
        .route("/api/v1/reports", get(reports))
        .with_state(Desk { metrics, heartbeat })
}

async fn metrics_page(State(desk): State<Desk>) -> Response {
    match desk.metrics.render() {
        Ok(text) => ([(header::CONTENT_TYPE, prometheus::TEXT_FORMAT)], text).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The loop's heartbeat, never the database: restarting the agent cures no database.
async fn alive(State(desk): State<Desk>) -> Response {
    match desk.heartbeat.silent_for() {
        Some(seconds) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("the schedule has not fired for {seconds} s\n")).into_response()
        }
        None => "ok\n".into_response(),
    }
}

/// The configuration is loaded, or we would not be here, and a first connection was made. Standbys are ready.
async fn ready(State(desk): State<Desk>) -> Response {
    if desk.metrics.board().ready() {
        "ok\n".into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "no database could be reached yet\n").into_response()
    }
}

/// The last report of each database, as in `--once --format json`, with what is known besides.
async fn reports(State(desk): State<Desk>) -> Response {
    let databases: Vec<_> = desk
        .metrics
        .board()
        .stations()
        .into_iter()
        .map(|(name, station)| {
            json!({
                "name": name, "up": station.up, "leader": station.leader,
                "last_success_timestamp_seconds": station.last_success,
                "pass_interval_seconds": station.interval, "report": station.report.as_deref(),
            })
        })
        .collect();
    Json(json!({ "schema": 1, "version": env!("CARGO_PKG_VERSION"), "databases": databases })).into_response()
}
