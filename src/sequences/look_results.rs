//! What looks at many sequences found, in their order.

use pgmedic_core::Reason;
use pgmedic_core::sequence::ahead::Looked;
use pgmedic_core::sequence::observation::ObserveResult;
use std::iter::{Enumerate, Peekable};
use std::vec::IntoIter;

/// What was seen of a sequence, and of what lies ahead; none where there is nothing to read.
pub type LookResult = Option<Result<Looked, Reason>>;

/// The results of a look, in the order of its subjects. Of those with nothing ahead each is made as it is taken.
#[derive(Debug)]
pub struct LookResults {
    seen: Enumerate<IntoIter<ObserveResult>>,
    /// Of those that something may be ahead of, each with its place.
    ahead: Peekable<IntoIter<(usize, LookResult)>>,
}

impl LookResults {
    pub fn new(seen: Vec<ObserveResult>, ahead: Vec<(usize, LookResult)>) -> Self {
        Self { seen: seen.into_iter().enumerate(), ahead: ahead.into_iter().peekable() }
    }
}

impl Iterator for LookResults {
    type Item = LookResult;

    fn next(&mut self) -> Option<LookResult> {
        let (index, seen) = self.seen.next()?;
        Some(match self.ahead.next_if(|(of, _)| *of == index) {
            Some((_, result)) => result,
            None => seen.map(|seen| seen.map(Looked::nothing_ahead)),
        })
    }
}
