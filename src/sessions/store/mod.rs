//! A store as the catalog has it: checked, its names quoted by the server.

pub mod columns;
pub mod privileges;
pub mod resolve;
pub mod untrusted_code;

use crate::config::ExpiryKind;

/// The types that a time may be kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    Timestamptz,
    Timestamp,
    Int4,
    Int8,
}

impl TimeType {
    /// By its OID, which is the same everywhere (PostgreSQL source, `pg_type.dat`).
    pub fn of(oid: i64) -> Option<Self> {
        match oid {
            1184 => Some(Self::Timestamptz),
            1114 => Some(Self::Timestamp),
            23 => Some(Self::Int4),
            20 => Some(Self::Int8),
            _ => None,
        }
    }
}

/// A column that holds times.
#[derive(Debug, Clone)]
pub struct TimeColumn {
    /// Quoted.
    pub name: String,
    pub time_type: TimeType,
}

/// One way in which a session ends, with the column it is read from.
#[derive(Debug, Clone)]
pub struct ExpiryColumn {
    pub kind: ExpiryKind,
    pub column: TimeColumn,
}

/// How a session is ended.
#[derive(Debug, Clone)]
pub enum EndAction {
    Delete,
    /// Quoted column, and the constant that it is set to.
    Set {
        column: String,
        value: String,
    },
    /// Quoted column, which is set to the time of the sweep.
    Stamp(TimeColumn),
}

/// A checked store.
#[derive(Debug, Clone)]
pub struct ResolvedStore {
    /// Schema-qualified and quoted.
    pub table: String,
    /// It has partitions or children, in which row addresses repeat.
    pub has_children: bool,
    /// Where it is, and who owns it. Quoted.
    pub schema: String,
    pub owner: String,
    /// Its policies hide rows from whoever does not own it.
    pub row_security: bool,
    /// All columns that are read. Quoted.
    pub columns: Vec<String>,
    /// As many as the store has meanings, in their order.
    pub ends: Vec<ExpiryColumn>,
    pub action: EndAction,
    /// Quoted.
    pub user: Option<String>,
    pub newest_by: TimeColumn,
    pub warnings: Vec<String>,
    /// The first privilege that is missing, as the statement that grants it: to look at all …
    pub missing_to_look: Option<String>,
    /// … and to sweep.
    pub missing_to_sweep: Option<String>,
    /// Whose code would run with our rights, and what to do about it.
    pub untrusted_code: Option<String>,
}

impl ResolvedStore {
    /// The table's own rows only, where they have an address of their own there; a child that is added meanwhile is not
    /// looked at.
    pub fn from(&self) -> String {
        if self.has_children { self.table.clone() } else { format!("ONLY {}", self.table) }
    }
}
