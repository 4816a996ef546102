//! What a statement's text tells of the sequences and columns that it moved or wrote. Pure: the server's views are read elsewhere.
//!
//! A text may be normalized (`$1` for constants), cut off, or hostile. What is not certain is left out: a statement counts
//! only where its text alone shows what it does.
//!
//! | file | does |
//! |---|---|
//! | `tokens.rs` | a text as words, names, constants and symbols, by statement |
//! | `model.rs` | kinds of statements, and what they do |
//! | `cursor.rs` | reads tokens one after the other: names, lists, parentheses |
//! | `writes.rs` | INSERT, UPDATE, MERGE, COPY: which columns get explicit values |
//! | `moves.rs` | setval, RESTART, TRUNCATE: which sequences are moved |
//! | `act.rs` | the statements of a text, one after the other: [`acts`] |
//! | `targets.rs` | which sequences an act concerns |

mod act;
mod cursor;
mod model;
mod moves;
mod targets;
mod tokens;
mod writes;

pub use act::acts;
pub use model::{Act, NameRef, StatementKind, Written};
pub use targets::{Concern, TargetIndex, TargetSequence, TargetTable};
