//! A duplicate key, by the error's fields; its text is never read, which the server translates.

use sqlx::postgres::PgDatabaseError;

/// `unique_violation` (PostgreSQL manual, appendix A).
const UNIQUE_VIOLATION: &str = "23505";

/// What the server refused to store twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UniqueViolation {
    pub schema: String,
    /// A partition's, where the table has partitions.
    pub table: String,
    /// The constraint, or the unique index that is none.
    pub constraint: String,
    /// The key, where it is one integer that the role may know.
    pub key: Option<i64>,
}

impl UniqueViolation {
    /// None for every other error.
    pub(super) fn from_error(error: &sqlx::Error) -> Option<Self> {
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

/// The value in `Key (column)=(value) already exists.` in any language: translations keep `(column)=(value)` whole
/// (`BuildIndexValueDescription` in PostgreSQL's `src/backend/access/index/genam.c`). Only ever used to compare.
fn key(detail: &str) -> Option<i64> {
    let (_, value) = detail.rsplit_once(")=(")?;
    value.split_once(')')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use crate::unique_violation::key;

    #[test]
    fn the_key_is_found_in_any_language_and_only_when_it_is_a_whole_number() {
        assert_eq!(key("Key (session_id)=(658) already exists."), Some(658));
        assert_eq!(key("Schlüssel »(id)=(-7)« existiert bereits."), Some(-7));
        assert_eq!(key("Key (\"a)=(1\")=(5) already exists."), Some(5));
        assert_eq!(key("Key (token)=(f00) already exists."), None);
        assert_eq!(key("Key (a, b)=(1, 2) already exists."), None);
        assert_eq!(key(""), None);
    }
}
