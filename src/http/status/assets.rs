//! The page's stylesheet, script and icon, embedded in the binary.

use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file, with the beginning of its digest.
struct Asset {
    kind: &'static str,
    text: &'static str,
    digest: String,
}

static STYLESHEET: LazyLock<Asset> = LazyLock::new(|| Asset::new("text/css", include_str!("assets/status.css")));
static SCRIPT: LazyLock<Asset> = LazyLock::new(|| Asset::new("text/javascript", include_str!("assets/status.js")));
static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("image/svg+xml", include_str!("assets/icon.svg")));

pub async fn stylesheet(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    STYLESHEET.answer(query.as_deref(), &headers)
}

pub async fn script(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    SCRIPT.answer(query.as_deref(), &headers)
}

pub async fn icon(RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    ICON.answer(query.as_deref(), &headers)
}

/// Relative links, so that a proxy may serve the page below any path.
pub struct Links {
    pub stylesheet: String,
    pub script: String,
    pub icon: String,
}

impl Links {
    pub fn new() -> Self {
        let link = |name: &str, asset: &Asset| format!("assets/{name}?{}", asset.digest);
        Self {
            stylesheet: link("status.css", &STYLESHEET),
            script: link("status.js", &SCRIPT),
            icon: link("icon.svg", &ICON),
        }
    }
}

impl Asset {
    fn new(kind: &'static str, text: &'static str) -> Self {
        let digest = Sha256::digest(text.as_bytes()).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { kind, text, digest }
    }

    /// Cached forever when the request names its digest. A page of another version names another digest, and its browser
    /// does not cache this file.
    fn answer(&self, query: Option<&str>, headers: &HeaderMap) -> Response {
        let immutable = query == Some(self.digest.as_str());
        let cache = if immutable { "public, max-age=31536000, immutable" } else { "no-cache" };
        let tag = format!("\"{}\"", self.digest);
        let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|tags| tags.as_bytes() == tag.as_bytes());
        let common = [(header::CACHE_CONTROL, cache.to_owned()), (header::ETAG, tag)];
        if unchanged {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = format!("{}; charset=utf-8", self.kind);
        (common, [(header::CONTENT_TYPE, kind)], self.text).into_response()
    }
}
