//! Reads a duplicate key from the fields of the error. The server translates the message, so that it is not read.

use sqlx::postgres::PgDatabaseError;

/// `unique_violation` (PostgreSQL manual, appendix A).
const UNIQUE_VIOLATION: &str = "23505";

/// The key that an insert could not store, because it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UniqueViolation {
    pub schema: String,
    /// In a partitioned table, the partition.
    pub table: String,
    /// The constraint, or the unique index where there is no constraint.
    pub constraint: String,
    /// The taken id, if the key is one integer and the role may read it.
    pub key: Option<i64>,
}

impl UniqueViolation {
    /// None for any other error.
    pub(crate) fn from_error(error: &sqlx::Error) -> Option<Self> {
        let error = error.as_database_error()?.try_downcast_ref::<PgDatabaseError>()?;
        if error.code() != UNIQUE_VIOLATION {
            return None;
        }
        Some(Self {
            schema: error.schema()?.to_owned(),
            table: error.table()?.to_owned(),
            constraint: error.constraint()?.to_owned(),
            key: error.detail().and_then(key),
        })
    }
}

/// The value in `Key (column)=(value) already exists.` in any language: translations keep `(column)=(value)`
/// (`BuildIndexValueDescription` in PostgreSQL's `src/backend/access/index/genam.c`). It is only compared.
fn key(detail: &str) -> Option<i64> {
    let (_, value) = detail.rsplit_once(")=(")?;
    value.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::unique_violation::key;

    #[test]
    fn the_key_is_read_in_any_language_and_only_if_it_is_an_integer() {
        assert_eq!(key("Key (session_id)=(658) already exists."), Some(658));
        assert_eq!(key("Schlüssel »(id)=(-7)« existiert bereits."), Some(-7));
        assert_eq!(key("Key (\"a)=(1\")=(5) already exists."), Some(5));
        assert_eq!(key("Key (token)=(f00) already exists."), None);
        assert_eq!(key("Key (a, b)=(1, 2) already exists."), None);
        assert_eq!(key(""), None);
    }
}
