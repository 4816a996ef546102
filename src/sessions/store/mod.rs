//! A configured store, resolved against the catalog: its names quoted by the server, its types and privileges checked.
//!
//! | file | what is in it |
//! |---|---|
//! | `resolve.rs` | reads the catalog, and makes a `ResolvedStore` of what it says |
//! | `columns.rs`, `table.sql`, `columns.sql` | the table and its columns; which index is missing |
//! | `values.rs` | whether columns can be compared, with what the configuration states for them and with each other |
//! | `rights.rs` | the privileges that are missing |
//! | `effects.rs`, `foreign_key.rs`, `effects.sql`, `code.sql`, `replication_role.sql` | what ending a session does to other rows |
//! | `ids.rs`, `id_values.rs`, `ids.sql` | ids that come from a sequence, which must not be handed out again |
//! | `untrusted_code.rs`, `untrusted_code.sql`, `touched_owners.sql` | code of other roles that a sweep would run |
//! | `touched_code.sql`, `code_state.sql` | whether that code is still the one that was judged |
//! | `privileges.rs` | what `pgmedic grants` prints for a store |

mod columns;
mod effects;
mod foreign_key;
mod id_values;
mod ids;
pub mod privileges;
mod resolve;
mod rights;
mod untrusted_code;
mod values;

pub use effects::{Effects, SweepTrigger};
pub use ids::{GeneratedId, IdRows, OtherRows};
pub use resolve::resolve_store;
pub use untrusted_code::{CodeState, SweepGuard, sweep_guard_sql};
pub use values::ValueCheck;

use crate::config::ExpiryKind;
use pgmedic_core::{Fix, Reason, ReasonKind};

/// The types of columns that hold times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeType {
    Timestamptz,
    Timestamp,
    Date,
    Int4,
    Int8,
    Float8,
    Numeric,
}

impl TimeType {
    /// By its OID, which is the same everywhere (PostgreSQL source, `pg_type.dat`).
    pub fn of(oid: i64) -> Option<Self> {
        match oid {
            1184 => Some(Self::Timestamptz),
            1114 => Some(Self::Timestamp),
            1082 => Some(Self::Date),
            23 => Some(Self::Int4),
            20 => Some(Self::Int8),
            701 => Some(Self::Float8),
            1700 => Some(Self::Numeric),
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

/// A rule by which a session expires, with its column.
#[derive(Debug, Clone)]
pub struct ExpiryColumn {
    pub kind: ExpiryKind,
    pub column: TimeColumn,
    pub lifetime: Option<LifetimeColumn>,
}

/// A column that says for how long a session lives.
#[derive(Debug, Clone)]
pub struct LifetimeColumn {
    /// Quoted.
    pub name: String,
    /// Of its unit.
    pub nanoseconds: i64,
}

/// How a session is ended.
#[derive(Debug, Clone)]
pub enum EndAction {
    Delete,
    /// Sets a column to a constant. Both are SQL.
    Set {
        column: String,
        value: String,
    },
    /// Sets this column to the time of the sweep.
    Stamp(TimeColumn),
}

/// How many sessions a user may have, and the columns that say whose a session is and how old.
#[derive(Debug, Clone)]
pub struct PerUserLimit {
    pub max: u32,
    /// Quoted. Several say together whose a session is.
    pub user: Vec<String>,
    pub newest_by: TimeColumn,
}

/// A store whose table, columns and types were found as configured. Names are quoted.
#[derive(Debug, Clone)]
pub struct ResolvedStore {
    /// Schema-qualified.
    pub table: String,
    /// It has partitions or children, so a row's address alone does not identify it.
    pub has_children: bool,
    /// Of the table and its partitions and children.
    pub oids: Vec<i64>,
    pub schema: String,
    pub owner: String,
    /// The connected role.
    pub role: String,
    /// The table has row-level security policies.
    pub row_security: bool,
    /// Conditions over the table `t`, as SQL: which rows are sessions.
    pub only: Vec<String>,
    /// Whether columns can be compared: with the values that the configuration states, and with each other.
    pub value_checks: Vec<ValueCheck>,
    /// Columns that tell kinds of sessions apart by their name, and are not in `only`, quoted; and whether they can be read.
    pub kinds: Vec<(String, bool)>,
    /// All columns that are read.
    pub columns: Vec<String>,
    /// One for each expiry rule of the configuration, in its order.
    pub ends: Vec<ExpiryColumn>,
    pub action: EndAction,
    pub per_user: Option<PerUserLimit>,
    /// The column with the time of creation, where it is compared with the last activity.
    pub created_at: Option<TimeColumn>,
    pub effects: Effects,
    /// The columns whose ids come from a sequence, where sessions are deleted: of their table, and of tables whose rows are
    /// deleted with them.
    pub ids: Vec<GeneratedId>,
    /// The columns of the sessions' table with texts that come from a sequence.
    pub text_ids: Vec<GeneratedId>,
    pub warnings: Vec<Reason>,
    /// The first privilege that is missing to look at the store.
    pub missing_to_look: Option<Reason>,
    /// The first privilege that is missing to sweep it.
    pub missing_to_sweep: Option<Reason>,
    /// Code of another role would run with the rights of the connected one.
    pub untrusted_code: Option<Reason>,
    /// The code of which none does, or all of it.
    pub code: CodeState,
}

impl ResolvedStore {
    /// The table for a FROM clause. A table without children is read alone: a child that is added during the pass has
    /// rows with the same addresses.
    pub fn from(&self) -> String {
        if self.has_children { self.table.clone() } else { format!("ONLY {}", self.table) }
    }

    /// The OIDs of the table and its partitions and children, as SQL.
    pub fn oid_array(&self) -> String {
        let oids: Vec<String> = self.oids.iter().map(i64::to_string).collect();
        format!("'{{{}}}'::oid[]", oids.join(","))
    }

    /// Whether each batch is compared with what it selected, because a trigger may keep sessions, or change others.
    pub fn is_checked(&self) -> bool {
        !self.effects.triggers.is_empty()
    }

    /// Whether ending a session may take long or fail by what else it does.
    pub fn has_effects(&self) -> bool {
        self.effects.has_foreign_keys || self.is_checked()
    }

    /// The fix of the one foreign key that can stop the deletion. None where several can: which one did is not known.
    pub fn foreign_key_fix(&self) -> Option<Fix> {
        let mut keys = self.warnings.iter().filter(|warning| warning.kind == ReasonKind::ForeignKey);
        match (keys.next(), keys.next()) {
            (Some(only), None) => only.fix.clone(),
            _ => None,
        }
    }
}
