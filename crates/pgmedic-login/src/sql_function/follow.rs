//! Triggers that let sequences follow the ids that are inserted into their columns, as a script for `psql`. Part of the
//! binary, not of the library's API.

use super::{BASE_TYPE, LINKS, render_template};
use pgmedic_core::{ColumnName, quote_literal};

const FOLLOW: &str = include_str!("follow/follow.sql");
const BODY: &str = include_str!("follow/body.sql");
const UNFOLLOW: &str = include_str!("follow/unfollow.sql");
const DROP_UNUSED: &str = include_str!("follow/drop_unused.sql");

/// The columns whose sequences follow their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowedColumns<'a> {
    /// Every column that a sequence feeds, as far as the role that runs the script may.
    All,
    /// These.
    Named(&'a [ColumnName]),
}

/// The script that lets the sequences of `columns` follow their ids; with `always`, also ids that logical replication
/// brings. Ids beyond `max_id` are left alone. What an earlier run stated of both is kept without them, and otherwise running
/// it again changes nothing.
#[must_use]
pub fn follow(columns: FollowedColumns<'_>, always: bool, max_id: Option<i64>) -> String {
    let body = quote_literal(BODY.trim_end());
    let always = always.to_string();
    let max_id = max_id.map_or_else(|| "NULL".to_owned(), |id| id.to_string());
    let script = FOLLOW
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@LINKS@", LINKS.trim_end())
        .replace("@BASE_TYPE@", BASE_TYPE.trim_end())
        .replace("@DROP_UNUSED@", DROP_UNUSED.trim_end());
    let (all, named) = (is_all(columns), named(columns));
    let places = [
        ("@ALL@", all.as_str()),
        ("@ALWAYS@", &always),
        ("@MAX_ID@", &max_id),
        ("@BODY@", &body),
        ("@COLUMNS@", &named),
    ];
    render_template(&quote_block(&script, &named), &places)
}

/// The script that removes what [`follow`] created for `columns`, and nothing else.
#[must_use]
pub fn unfollow(columns: FollowedColumns<'_>) -> String {
    let (all, named) = (is_all(columns), named(columns));
    let script = UNFOLLOW.replace("@DROP_UNUSED@", DROP_UNUSED.trim_end());
    render_template(&quote_block(&script, &named), &[("@ALL@", &all), ("@COLUMNS@", &named), ("@COLUMNS@", &named)])
}

/// Gives the block of the script a dollar quote that does not occur in the names.
fn quote_block(script: &str, names: &str) -> String {
    let mut quote = "$follow$".to_owned();
    while names.contains(&quote) {
        quote.insert_str(1, "the_");
    }
    script.replace("$follow$", &quote)
}

fn is_all(columns: FollowedColumns<'_>) -> String {
    (columns == FollowedColumns::All).to_string()
}

/// Rows of `VALUES`.
fn named(columns: FollowedColumns<'_>) -> String {
    let FollowedColumns::Named(columns) = columns else {
        return "(NULL::text, NULL::text, NULL::text)".to_owned();
    };
    let row = |ColumnName { table, column }: &ColumnName| {
        let [schema, name, column] = [&table.schema, &table.name, column].map(|part| quote_literal(part));
        format!("({schema}::text, {name}::text, {column}::text)")
    };
    columns.iter().map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use crate::sql_function::follow::*;

    #[test]
    fn names_are_literals_and_no_placeholder_is_left_but_those_of_the_function() {
        let columns = ["public.\"@ALL@\".\"it's\"".parse().unwrap()];
        let script = follow(FollowedColumns::Named(&columns), true, None);
        assert!(script.contains("VALUES ('public'::text, '@ALL@'::text, 'it''s'::text)"), "{script}");
        assert!(
            script.contains("everything CONSTANT boolean := false")
                && script.contains("always CONSTANT boolean := true")
        );
        assert!(!unfollow(FollowedColumns::All).contains('@'));
        let columns = ["public.t.\"$follow$\"".parse().unwrap()];
        assert!(unfollow(FollowedColumns::Named(&columns)).contains("DO $the_follow$"));
    }
}
