//! The page's own files, out of the binary.

use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// A file, with the beginning of its own digest.
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

/// Where the page finds them. Relative, so that a proxy may put the page anywhere.
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

    /// Kept for good where it was asked for by its digest. A page of another version's asks for another file, and does
    /// not get to keep this one.
    fn answer(&self, query: Option<&str>, headers: &HeaderMap) -> Response {
        let for_good = query == Some(self.digest.as_str());
        let cache = if for_good { "public, max-age=31536000, immutable" } else { "no-cache" };
        let tag = format!("\"{}\"", self.digest);
        let known = headers.get(header::IF_NONE_MATCH).is_some_and(|known| known.as_bytes() == tag.as_bytes());
        let common = [(header::CACHE_CONTROL, cache.to_owned()), (header::ETAG, tag)];
        if known {
            return (StatusCode::NOT_MODIFIED, common).into_response();
        }
        let kind = format!("{}; charset=utf-8", self.kind);
        (common, [(header::CONTENT_TYPE, kind)], self.text).into_response()
    }
}
