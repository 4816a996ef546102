//! The runbooks that the page links to, as text: the agent's network may have no way to another site.

use super::model::runbook::ALL;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

pub async fn runbook(Path(name): Path<String>) -> Response {
    match ALL.iter().find(|runbook| runbook.name == name) {
        Some(runbook) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], runbook.text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
