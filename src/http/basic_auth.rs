//! Basic authentication (RFC 7617), with passwords hashed by bcrypt as in the web configuration of Prometheus's exporters.

use crate::config::BasicAuthUser;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// Answered without a password: they tell only whether the agent works, and what asks for them has none.
const PROBES: [&str; 3] = ["/livez", "/readyz", "/healthz"];
/// Passwords that were right and are not hashed again. More are forgotten all at once.
const MOST_KNOWN: usize = 100;
/// Passwords that are checked at once: each takes a tenth of a second of a processor, on purpose.
const CHECKS: usize = 1;
/// Of no password, so that an unknown name takes as long as a wrong password.
const NO_USER: &str = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

/// Who may read the pages.
#[derive(Debug, Clone)]
pub struct Users {
    users: Arc<[BasicAuthUser]>,
    /// Digests of names and passwords that were right.
    known: Arc<Mutex<HashSet<[u8; 32]>>>,
    checks: Arc<Semaphore>,
}

impl Users {
    /// Everyone, where the list is empty.
    pub fn new(users: &[BasicAuthUser]) -> Self {
        Self { users: users.into(), known: Arc::default(), checks: Arc::new(Semaphore::new(CHECKS)) }
    }

    async fn admit(&self, name: String, password: String) -> bool {
        let digest: [u8; 32] = Sha256::digest(format!("{}:{name}{password}", name.len())).into();
        if self.known().contains(&digest) {
            return true;
        }
        // Fails only if the semaphore is closed, which never happens.
        let Ok(permit) = Arc::clone(&self.checks).acquire_owned().await else { return false };
        let users = Arc::clone(&self.users);
        let check = spawn_blocking(move || {
            // Kept until the check is over, also when its client has gone.
            let _permit = permit;
            let user = users.iter().find(|user| user.name == name);
            let hash = user.map_or(NO_USER, |user| user.password_hash.as_str());
            bcrypt::verify(password, hash).is_ok_and(|is_right| is_right && user.is_some())
        });
        let is_right = check.await.unwrap_or(false);
        if is_right {
            let mut known = self.known();
            if known.len() >= MOST_KNOWN {
                known.clear();
            }
            known.insert(digest);
        }
        is_right
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashSet<[u8; 32]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub async fn require_password(State(users): State<Users>, request: Request, next: Next) -> Response {
    if users.users.is_empty() || PROBES.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    let given = request.headers().get(header::AUTHORIZATION).and_then(credentials);
    let admitted = match given {
        Some((name, password)) => users.admit(name, password).await,
        None => false,
    };
    if admitted {
        return next.run(request).await;
    }
    let ask = HeaderValue::from_static("Basic realm=\"pgmedic\", charset=\"UTF-8\"");
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, ask)], "a name and a password are needed\n").into_response()
}

/// Name and password of `Basic bmFtZTpwYXNzd29yZA==`.
fn credentials(value: &HeaderValue) -> Option<(String, String)> {
    let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("basic").then(|| BASE64_STANDARD.decode(encoded.trim()).ok())??;
    let text = String::from_utf8(text).ok()?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users() -> Users {
        let password_hash = bcrypt::hash("secret: word", 4).unwrap();
        Users::new(&[BasicAuthUser { name: "prometheus".to_owned(), password_hash }])
    }

    #[tokio::test]
    async fn only_the_right_password_of_the_right_user_is_admitted_once_and_again() {
        let users = users();
        let mut admitted = Vec::new();
        for (name, password) in [
            ("prometheus", "secret: word"),
            ("prometheus", "secret: word"),
            ("prometheus", ""),
            ("", "secret: word"),
            ("x", "y"),
        ] {
            admitted.push(users.admit(name.to_owned(), password.to_owned()).await);
        }
        assert_eq!(admitted, [true, true, false, false, false]);
        assert_eq!(users.known().len(), 1, "wrong passwords are not kept");
    }

    #[test]
    fn credentials_are_read_as_browsers_and_prometheus_send_them() {
        let read = |value: &str| credentials(&HeaderValue::from_str(value).unwrap());
        let wanted = Some(("prometheus".to_owned(), "secret: word".to_owned()));
        assert_eq!(read("Basic cHJvbWV0aGV1czpzZWNyZXQ6IHdvcmQ="), wanted);
        assert_eq!(read("basic cHJvbWV0aGV1czpzZWNyZXQ6IHdvcmQ="), wanted);
        for odd in ["Basic", "Bearer cHJv", "Basic ***", "Basic bm9jb2xvbg==", "Basic /w=="] {
            assert_eq!(read(odd), None, "{odd}");
        }
    }
}
