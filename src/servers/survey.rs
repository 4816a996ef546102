//! Asks a server for its databases, and for what its statistics count in each.

use super::activity::Activity;
use pgmedic_core::sequence::row_fields::lossy_text;
use pgmedic_core::{QueryError, Reason, ReasonKind, fill_sql};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A database that accepts connections and is no template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundDatabase {
    pub oid: u32,
    /// With replacement characters where it is not UTF-8.
    pub name: String,
    /// Only such a database can be entered.
    pub is_utf8: bool,
    /// The statement that lets the role in, where it has no CONNECT privilege.
    pub missing_grant: Option<String>,
    /// An open transaction has written there, which is counted at its end.
    pub is_written: bool,
    /// None where the role may not read the statistics.
    pub activity: Option<Activity>,
}

impl FoundDatabase {
    /// Why the database cannot be entered, where its name is not UTF-8.
    pub fn unreadable(&self) -> Option<Reason> {
        let oid = self.oid;
        (!self.is_utf8).then(|| {
            Reason::new(
                ReasonKind::UnknownDatabase,
                format!(
                    "the name of the database with OID {oid} is not UTF-8, so it cannot be entered: rename it (ALTER DATABASE … \
                     RENAME TO …) from a database with the encoding in which it was named"
                ),
            )
        })
    }
}

/// Which counters a server has, best first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SurveySql {
    #[default]
    WithActiveTime,
    /// Before PostgreSQL 14.
    WithoutActiveTime,
    /// The role may not read the statistics.
    NoCounters,
}

impl SurveySql {
    /// The statement, whose rows [`read`] reads.
    pub fn text(self) -> String {
        let transactions = "pg_catalog.pg_stat_get_db_xact_commit(d.oid) OPERATOR(pg_catalog.+) \
                            pg_catalog.pg_stat_get_db_xact_rollback(d.oid)";
        let rows = "pg_catalog.pg_stat_get_db_tuples_inserted(d.oid) OPERATOR(pg_catalog.+) \
                    pg_catalog.pg_stat_get_db_tuples_updated(d.oid) OPERATOR(pg_catalog.+) \
                    pg_catalog.pg_stat_get_db_tuples_deleted(d.oid)";
        let none = "NULL::pg_catalog.int8";
        let active = "(pg_catalog.pg_stat_get_db_active_time(d.oid) OPERATOR(pg_catalog.*) 1000)::pg_catalog.int8";
        let [transactions, rows, active] = match self {
            Self::WithActiveTime => [transactions, rows, active],
            Self::WithoutActiveTime => [transactions, rows, none],
            Self::NoCounters => [none; 3],
        };
        let counters = format!("{transactions} AS transactions, {rows} AS rows, {active} AS active");
        fill_sql(include_str!("survey.sql"), &[("COUNTERS", counters.as_str())])
    }

    /// What to ask instead, where this server or role has no answer.
    pub fn instead(self, error: &QueryError) -> Option<Self> {
        match (self, error) {
            // There is no such function.
            (Self::WithActiveTime, QueryError::Server { code, .. }) if code == "42883" => Some(Self::WithoutActiveTime),
            (Self::WithActiveTime | Self::WithoutActiveTime, QueryError::PermissionDenied(_)) => Some(Self::NoCounters),
            _ => None,
        }
    }
}

/// The databases, in the order of their names.
///
/// # Errors
///
/// When the answer is not as expected.
pub fn read(rows: &[PgRow]) -> Result<Vec<FoundDatabase>, QueryError> {
    let mut found = Vec::with_capacity(rows.len());
    for row in rows {
        let oid: i64 = row.try_get("oid")?;
        let oid = u32::try_from(oid).map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
        let is_utf8 = row.try_get::<&str, _>("name").is_ok();
        let activity = match (row.try_get("transactions")?, row.try_get("rows")?) {
            (Some(transactions), Some(rows)) => Some(Activity { transactions, rows, active: row.try_get("active")? }),
            _ => None,
        };
        found.push(FoundDatabase {
            oid,
            name: lossy_text(row, "name")?,
            is_utf8,
            // It holds the name.
            missing_grant: if is_utf8 { row.try_get("missing_grant")? } else { None },
            is_written: row.try_get("is_written")?,
            activity,
        });
    }
    Ok(found)
}
