//! A declared feed as the sweep of a session store compares it with the tables of a database.

use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::{ColumnName, TableName};

/// A sequence, and the column whose ids are made from its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredId {
    /// With a `*` where the text belongs that `star` stands for.
    pub sequence: TableName,
    pub column: ColumnName,
    pub star: Option<Star>,
    pub allocator: Allocator,
}

/// One part of a column's name in which some text stands for any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Star {
    /// 1 the schema, 2 the table, 3 the column.
    pub part: u8,
    pub before: String,
    pub after: String,
}
