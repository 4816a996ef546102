//! What a statement's text tells of the sequences and columns that it moved or wrote. Pure: the server's views are read elsewhere.
//!
//! A text may be normalized (`$1` for constants), cut off, or hostile. What is not certain is left out: a statement counts
//! only where its text alone shows what it does.
//!
//! | file | does |
//! |---|---|
//! | `tokens.rs` | a text as words, names, constants and symbols, by statement |
//! | `cursor.rs` | reads tokens one after the other: names, lists, parentheses |
//! | `act.rs` | what each kind of statement does: [`acts`] |
//! | `writes.rs` | INSERT, UPDATE, MERGE, COPY: which columns get explicit values |
//! | `moves.rs` | setval, RESTART, TRUNCATE: which sequences are moved |
//! | `targets.rs` | which sequences an act concerns |

mod act;
mod cursor;
mod moves;
mod targets;
mod tokens;
mod writes;

pub use act::{Act, NameRef, Written, acts};
pub use targets::{Concern, TargetIndex, TargetSequence, TargetTable};

use serde::{Deserialize, Serialize};

/// A kind of statement that can be behind a drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StatementKind {
    /// `setval`.
    Setval,
    /// `ALTER SEQUENCE … RESTART`, or the same of an identity column.
    AlterSequence,
    /// `TRUNCATE … RESTART IDENTITY`.
    TruncateRestart,
    /// `COPY … FROM`, with values for the column.
    Copy,
    /// An `INSERT` with explicit values for the column.
    Insert,
    /// An `UPDATE` of the column.
    Update,
    /// A `MERGE` that writes the column.
    Merge,
    /// One of these by `pg_restore`.
    Restore,
    /// Rows that a subscription applies.
    LogicalApply,
}

impl StatementKind {
    /// For people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Setval => "setval",
            Self::AlterSequence => "ALTER SEQUENCE … RESTART",
            Self::TruncateRestart => "TRUNCATE … RESTART IDENTITY",
            Self::Copy => "COPY",
            Self::Insert => "INSERT with the column",
            Self::Update => "UPDATE of the column",
            Self::Merge => "MERGE with the column",
            Self::Restore => "restore",
            Self::LogicalApply => "logical replication",
        }
    }

    /// Whether it moves the sequence itself, as opposed to writing ids.
    pub fn moves_sequence(self) -> bool {
        matches!(self, Self::Setval | Self::AlterSequence | Self::TruncateRestart)
    }
}
