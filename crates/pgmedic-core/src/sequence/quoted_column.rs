//! The name of a column as statements have it.

use std::sync::Arc;

/// A column's name, schema-qualified and quoted by the server: one text, which reports share.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuotedColumn {
    whole: Arc<str>,
    /// How many bytes of it are the table's name.
    table: usize,
}

impl QuotedColumn {
    pub fn new(table: &str, column: &str) -> Self {
        Self { whole: format!("{table}.{column}").into(), table: table.len() }
    }

    /// Schema, table and column.
    pub fn whole(&self) -> &Arc<str> {
        &self.whole
    }

    /// Schema and table.
    pub fn table(&self) -> &str {
        &self.whole[..self.table]
    }

    pub fn column(&self) -> &str {
        &self.whole[self.table + 1..]
    }

    /// Takes the same text from `other`, so that it is kept once.
    pub fn share(&mut self, other: &Arc<str>) {
        if self.whole == *other {
            self.whole = Arc::clone(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_within_quotes_separates_nothing() {
        let name = QuotedColumn::new(r#"public."a.b""#, r#""c.d""#);
        assert_eq!((name.table(), name.column()), (r#"public."a.b""#, r#""c.d""#));
        assert_eq!(&**name.whole(), r#"public."a.b"."c.d""#);
    }
}
