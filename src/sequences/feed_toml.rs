//! A `[[sequences.feeds]]` table as text that is ready to paste.

use pgmedic_core::sequence::allocator::Allocator;
use pgmedic_core::{ColumnName, TableName};
use toml::Value;

/// The table without an allocator; none where a name holds `*`, which the configuration takes for a pattern.
pub fn feed_toml(sequence: &TableName, column: &ColumnName, database: Option<&str>) -> Option<String> {
    let (sequence, column) = (sequence.to_string(), column.to_string());
    if sequence.contains('*') || column.contains('*') {
        return None;
    }
    let mut text = "[[sequences.feeds]]\n".to_owned();
    let lines = [("sequence", Some(sequence)), ("column", Some(column)), ("database", database.map(str::to_owned))];
    for (key, value) in lines {
        if let Some(value) = value {
            text += &format!("{key} = {}\n", Value::String(value));
        }
    }
    Some(text)
}

/// The line that states an allocator, with the other choices.
pub fn allocator_line(allocator: Allocator) -> String {
    let others = ["pooled", "pooled_lo", "hilo", "residue"].into_iter().filter(|name| *name != allocator.to_string());
    let others: Vec<String> = others.map(|name| format!("\"{name}\"")).collect();
    format!("allocator = \"{allocator}\"  # or {}\n", others.join(", "))
}
