//! What a text's statements do to ids and sequences.

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

/// A relation as a statement names it: folded, without quotes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameRef {
    pub schema: Option<String>,
    pub name: String,
}

/// The columns for which a statement has explicit values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written {
    Columns(Vec<String>),
    /// By their places in the table, from 1.
    Places(Vec<usize>),
    All,
}

/// Something that a statement does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// By an INSERT, UPDATE, MERGE or COPY.
    Write {
        kind: StatementKind,
        table: NameRef,
        written: Written,
    },
    /// `setval` of a sequence that the text names.
    Setval(NameRef),
    /// `setval` of the sequence of a column that the text names.
    SetvalOfColumn {
        table: NameRef,
        column: String,
    },
    /// `setval` of a sequence that the text does not tell.
    SetvalOfUnknown,
    RestartSequence(NameRef),
    RestartColumn {
        table: NameRef,
        column: String,
    },
    Truncate {
        tables: Vec<NameRef>,
        cascade: bool,
    },
}
