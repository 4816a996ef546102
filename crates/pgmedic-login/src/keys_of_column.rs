//! The unique indexes that hold a column, as a query that the library and the SQL function have in common.

use pgmedic_core::fill_sql;

/// The query, whose rows have `holds` and `alone`. `tables` is an expression of type `oid[]`, `column` one of type `name`.
pub(crate) fn keys_of_column(tables: &str, column: &str) -> String {
    fill_sql(include_str!("keys_of_column.sql"), &[("TABLES", tables), ("COLUMN", column)])
}
