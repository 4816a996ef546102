//! Limits how many large responses are in memory at once.

use axum::body::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A further request waits until one of the responses was sent or its connection closed.
#[derive(Debug, Clone)]
pub struct ResponseLimiter(Arc<Semaphore>);

/// The permit to have one response in memory.
#[derive(Debug)]
pub struct ResponsePermit {
    _permit: Option<OwnedSemaphorePermit>,
}

/// A response, with its permit until it was sent or its connection closed.
struct LimitedBody {
    text: Vec<u8>,
    _permit: ResponsePermit,
}

impl AsRef<[u8]> for LimitedBody {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl ResponseLimiter {
    pub fn new(number: usize) -> Self {
        Self(Arc::new(Semaphore::new(number)))
    }

    pub async fn acquire(&self) -> ResponsePermit {
        // Fails only if the semaphore is closed, which never happens.
        ResponsePermit { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

impl ResponsePermit {
    pub fn attach(self, text: Vec<u8>) -> Bytes {
        Bytes::from_owner(LimitedBody { text, _permit: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn a_response_holds_its_permit_until_it_is_dropped() {
        let limiter = ResponseLimiter::new(2);
        let response = || limiter.acquire().now_or_never().map(|permit| permit.attach(vec![b'x'; 8]));
        let mut held = vec![response().unwrap(), response().unwrap()];
        // A slice keeps the whole response in memory.
        held[0] = held[0].slice(1..);
        assert!(response().is_none());
        held.remove(0);
        assert!(response().is_some());
    }
}
