//! The locks of a lease, and who holds them.
//!
//! Any role that may connect can take an advisory lock. So a lease has several locks, in a fixed order: where a session that
//! is no agent holds one, the next counts.

use crate::db::answers::{ask, rows};
use pgmedic_core::{QueryError, fill_sql};
use sqlx::Row;
use sqlx::postgres::{PgConnection, PgRow};

/// The first key of pgmedic's advisory locks: "pgmd" in ASCII (PostgreSQL manual, Advisory Lock Functions).
pub const LOCK_NAMESPACE: i32 = 0x7067_6d64;

/// The locks of one lease.
const LOCKS: usize = 8;

/// A session that holds a lock of the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    place: usize,
    pub pid: i32,
    pub role: String,
    pub application: String,
    /// Whether it can be an agent, by its role.
    pub is_agent: bool,
}

/// The second keys of the lease's locks, the first of which is `key`.
pub fn lock_keys(key: i32) -> [i32; LOCKS] {
    // The golden ratio's multiples are far apart, so that no two leases share a lock by chance.
    let step = |place: usize| u32::try_from(place).unwrap_or(0).wrapping_mul(0x9E37_79B9);
    std::array::from_fn(|place| key.cast_unsigned().wrapping_add(step(place)).cast_signed())
}

/// The sessions that hold a lock of the lease, other than this one. A role that may not read who they are takes each for an
/// agent.
///
/// # Errors
///
/// When the server does not answer.
pub async fn holders(connection: &mut PgConnection, key: i32) -> Result<Vec<Holder>, QueryError> {
    match rows(connection, holders_sql(key)).await {
        Ok(found) => found.iter().map(read).collect(),
        Err(QueryError::PermissionDenied(_)) => {
            let mut unknown = Vec::new();
            for (place, key) in lock_keys(key).into_iter().enumerate() {
                let sql = format!(
                    "/* pgmedic:lease */ SELECT NOT pg_catalog.pg_try_advisory_xact_lock({LOCK_NAMESPACE}, {key})"
                );
                if ask(connection, sql).await?.try_get(0)? {
                    let (role, application) = (String::new(), String::new());
                    unknown.push(Holder { place, pid: 0, role, application, is_agent: true });
                }
            }
            Ok(unknown)
        }
        Err(error) => Err(error),
    }
}

/// The first lock that no other session holds.
pub fn free_place(holders: &[Holder]) -> Option<usize> {
    (0..LOCKS).find(|place| holders.iter().all(|holder| holder.place != *place))
}

/// Whether an agent holds a lock before this one.
pub fn precedes(holders: &[Holder], place: usize) -> bool {
    holders.iter().any(|holder| holder.is_agent && holder.place < place)
}

pub fn holders_sql(key: i32) -> String {
    let keys = lock_keys(key).map(|key| key.to_string()).join(", ");
    let (namespace, keys) = (LOCK_NAMESPACE.to_string(), keys.as_str());
    let sql = fill_sql(include_str!("holders.sql"), &[("NAMESPACE", namespace.as_str()), ("KEYS", keys)]);
    format!("/* pgmedic:lease */ {sql}")
}

fn read(row: &PgRow) -> Result<Holder, QueryError> {
    let place: i32 = row.try_get(0)?;
    Ok(Holder {
        place: usize::try_from(place - 1).unwrap_or_default(),
        pid: row.try_get(1)?,
        role: row.try_get(2)?,
        application: row.try_get(3)?,
        is_agent: row.try_get(4)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_leases_share_no_lock() {
        let (one, other) = (lock_keys(0), lock_keys(1));
        assert_eq!((one[0], other[0]), (0, 1));
        assert!(one.iter().all(|key| !other.contains(key)));
    }

    #[test]
    fn the_first_lock_that_is_free_is_taken_unless_an_agent_has_an_earlier_one() {
        let holder =
            |place, is_agent| Holder { place, pid: 1, role: "a".to_owned(), application: "b".to_owned(), is_agent };
        let held = [holder(0, false), holder(1, false), holder(3, true)];
        assert_eq!(free_place(&held), Some(2));
        assert!(!precedes(&held, 2) && precedes(&held, 4));
        let all: Vec<Holder> = (0..LOCKS).map(|place| holder(place, false)).collect();
        assert_eq!(free_place(&all), None);
    }
}
