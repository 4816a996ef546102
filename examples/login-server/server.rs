//! The requests `POST /login`, `POST /logout` and `GET /me`.

use argon2::Argon2;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{AppendHeaders, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use pgmedic_login::{SessionStore, StoreError};
use serde::Deserialize;
use serde_json::json;
use sqlx::postgres::PgPool;
use std::sync::Arc;
use std::time::Duration;

/// A session ends after this time without a request (OWASP: 15 to 30 minutes).
const IDLE: Duration = Duration::from_secs(30 * 60);

struct App {
    pool: PgPool,
    store: SessionStore,
}

/// The routes of the server.
pub fn router(pool: PgPool, store: SessionStore) -> Router {
    let routes = Router::new().route("/login", post(login)).route("/logout", post(logout)).route("/me", get(me));
    routes.with_state(Arc::new(App { pool, store }))
}

/// Adds a user with this password.
pub async fn add_user(pool: &PgPool, name: &str, password: &str) -> Result<(), Box<dyn std::error::Error>> {
    let hash = Argon2::default().hash_password(password.as_bytes()).map_err(|error| error.to_string())?.to_string();
    sqlx::query("INSERT INTO users (name, password) VALUES ($1, $2)").bind(name).bind(hash).execute(pool).await?;
    Ok(())
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

async fn login(State(app): State<Arc<App>>, Json(credentials): Json<Credentials>) -> Result<Response, Failure> {
    let Credentials { name, password } = credentials;
    let user: Option<(i64, String)> =
        sqlx::query_as("SELECT id, password FROM users WHERE name = $1").bind(name).fetch_optional(&app.pool).await?;
    // An unknown name must take as long as a wrong password.
    let (user, hash) = user.map_or((None, DUMMY_HASH.to_owned()), |(id, hash)| (Some(id), hash));
    let matches = tokio::task::spawn_blocking(move || matches(&password, &hash)).await.unwrap_or(false);
    let Some(user) = user.filter(|_| matches) else {
        return Ok((StatusCode::UNAUTHORIZED, "wrong name or password\n").into_response());
    };
    let login = app.store.create_session(user, IDLE).await?;
    for repair in &login.repairs {
        eprintln!("moved {} from {} past {}", repair.sequence, repair.from, repair.to);
    }
    Ok((StatusCode::NO_CONTENT, cookie(login.token.expose(), IDLE)).into_response())
}

async fn logout(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    if let Some(token) = token(&headers) {
        app.store.revoke(token).await?;
    }
    Ok((StatusCode::NO_CONTENT, cookie("", Duration::ZERO)).into_response())
}

async fn me(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Failure> {
    let session = match token(&headers) {
        Some(token) => app.store.touch(token, IDLE).await?,
        None => None,
    };
    Ok(match session {
        Some(session) => {
            Json(json!({ "user": session.user, "expires_in": session.expires_in.as_secs() })).into_response()
        }
        None => (StatusCode::UNAUTHORIZED, "please log in\n").into_response(),
    })
}

/// A hash that matches no password, with the default parameters.
const DUMMY_HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5cyBzYWx0IQ$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn matches(password: &str, hash: &str) -> bool {
    Argon2::default().verify_password(password.as_bytes(), hash).is_ok()
}

/// `__Host-`: for this host and over TLS only. HttpOnly: hidden from scripts. SameSite: not sent with other sites' forms.
const NAME: &str = "__Host-session";

fn cookie(value: &str, age: Duration) -> AppendHeaders<[(axum::http::HeaderName, String); 1]> {
    let age = age.as_secs();
    AppendHeaders([(SET_COOKIE, format!("{NAME}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age}"))])
}

fn token(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == NAME).map(|(_, value)| value)
}

/// An internal error. Its details go to the log, not to the client.
struct Failure(StoreError);

impl<E: Into<StoreError>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        eprintln!("a request failed: {}", self.0);
        (StatusCode::INTERNAL_SERVER_ERROR, "internal error\n").into_response()
    }
}
