//! The judgement: what a sequence would run into, and whether to pass it, hold it or leave it alone.
//!
//! Pure: no database, no clock, no random source. [`BlockWalk`] asks [`Question`]s that index probes can answer and
//! ends with what it [`Found`]; [`decide`] turns that into a [`Decision`]. All arithmetic is in value numbers
//! ([`Numbering`]), so ascending and descending sequences and residue classes are judged by the same code.
//!
//! ```
//! use pgmedic_core::sequence::judgement::*;
//!
//! // The next value is 658, ids 1 to 695 are taken; value number 0 is id 1.
//! let terms = Terms::new(i128::from(i32::MAX) - 1, &Settings::default(), &Memory::RunOnly { charged: 0 });
//! let mut walk = BlockWalk::new(657, i128::from(i32::MAX) - 1, terms, Draws::new(7));
//! let found = loop {
//!     let answer = match walk.progress() {
//!         Progress::Ask(Question::Nearest { from, .. }) => Answer::Nearest(Some(from)),
//!         Progress::Ask(Question::Stretches { after: 657, .. }) => {
//!             Answer::Stretches(vec![Stretch { last: 694, drawn: 32, taken: 32, thin: false }])
//!         }
//!         Progress::Ask(_) => Answer::Stretches(vec![]),
//!         Progress::Done(found) => break found,
//!     };
//!     walk.answer(answer)?;
//! };
//! let observation = Observation {
//!     next: 657,
//!     limit: i128::from(i32::MAX) - 1,
//!     max_id: Some(694),
//!     ids: Ids::Walked(found),
//!     far_count: None,
//!     known_next: None,
//! };
//! let decision = decide(&observation, &terms, &Wishes::default());
//! let repair = Repair { past: 694, charged: 0, kind: RepairKind::Soon };
//! assert_eq!(decision, Decision::Repair { repair, rest: None });
//! # Ok::<(), AnswerError>(())
//! ```

mod chain;
mod decide;
mod decision;
mod draws;
mod gather;
mod numbering;
mod question;
mod terms;
mod walk;

pub use decide::{Ids, Observation, Wishes, decide};
pub use decision::{Decision, Hold, Repair, RepairKind};
pub use draws::Draws;
pub use gather::Gather;
pub use numbering::{Numbering, ValueNumber};
pub use question::{Answer, AnswerError, FewIds, Question, Stretch, thin_needs};
pub use terms::{History, Memory, Settings, Terms};
pub use walk::{BlockWalk, Found, Progress, ThinPart};

#[cfg(test)]
mod tests;
