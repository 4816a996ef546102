//! Large answers, few in memory at a time.

use axum::body::Bytes;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who asks for one answer more waits until one has been read, or its reader is given up.
#[derive(Debug, Clone)]
pub struct ResponseLimiter(Arc<Semaphore>);

/// The right to have one answer in memory.
#[derive(Debug)]
pub struct ResponsePermit {
    _permit: Option<OwnedSemaphorePermit>,
}

/// An answer, and the place that it holds until it is sent or given up.
struct LimitedBody {
    text: Vec<u8>,
    _place: ResponsePermit,
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
        // Nobody closes it.
        ResponsePermit { _permit: Arc::clone(&self.0).acquire_owned().await.ok() }
    }
}

impl ResponsePermit {
    pub fn attach(self, text: Vec<u8>) -> Bytes {
        Bytes::from_owner(LimitedBody { text, _place: self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt;

    #[test]
    fn an_answer_holds_its_place_until_it_is_let_go() {
        let places = ResponseLimiter::new(2);
        let answer = || places.acquire().now_or_never().map(|place| place.attach(vec![b'x'; 8]));
        let mut held = vec![answer().unwrap(), answer().unwrap()];
        // A part of an answer is memory too.
        held[0] = held[0].slice(1..);
        assert!(answer().is_none());
        held.remove(0);
        assert!(answer().is_some());
    }
}
