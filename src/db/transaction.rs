//! What every transaction begins with: its bounds, and settings that nothing of the user's can bend.

use pgmedic_core::{Timeouts, positive_milliseconds, settings_sql};
use std::fmt::Write;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMode {
    Read,
    /// Reads of tables with user-defined functions: rolled back, together with every setting that these changed.
    ReadOnlyThenRollback,
    Write,
}

/// Statements in what `begin` writes.
pub const PREAMBLE_STATEMENTS: usize = 9;

/// Whether a server of this version has `restrict_nonsystem_relation_kind`, which came with minor releases too.
pub fn can_restrict_views(version: u32) -> bool {
    let first = [130_016, 140_013, 150_008, 160_004];
    version >= 170_000 || first.iter().any(|first| first / 10_000 == version / 10_000 && version >= *first)
}

/// Keeps a view that replaced a table from being read in its place.
const RESTRICT: &str = "SET LOCAL restrict_nonsystem_relation_kind = 'view, foreign-table'";

/// Opens a transaction in which nothing of the user's settings can bend a statement. Exactly `PREAMBLE` statements.
pub fn begin_sql(name: &str, tag: &str, access: TransactionMode, bounds: Timeouts, restricts: bool) -> String {
    let access = match access {
        TransactionMode::Read | TransactionMode::ReadOnlyThenRollback => "ONLY",
        TransactionMode::Write => "WRITE",
    };
    let mut sql = String::with_capacity(512);
    // The idle limit frees locks should we vanish.
    let _ = writeln!(
        sql,
        "/* pgmedic:{name} tag={tag} */ BEGIN ISOLATION LEVEL READ COMMITTED, READ {access};\n\
         {settings}\n\
         SET LOCAL idle_in_transaction_session_timeout = {statement};\n\
         {restrict};",
        // As many statements wherever it runs.
        restrict = if restricts { RESTRICT } else { "SET LOCAL check_function_bodies = on" },
        settings = settings_sql(bounds),
        statement = positive_milliseconds(bounds.statement),
    );
    sql
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_has_as_many_statements_as_are_left_out_of_the_answers_wherever_it_runs() {
        let bounds = Timeouts { lock: Duration::from_millis(100), statement: Duration::from_secs(5) };
        for restricts in [true, false] {
            let sql = begin_sql("observe", "0", TransactionMode::Read, bounds, restricts);
            assert_eq!(sql.matches(';').count(), PREAMBLE_STATEMENTS, "{sql}");
            assert_eq!(sql.contains("restrict_nonsystem_relation_kind"), restricts);
        }
    }

    #[test]
    fn views_are_kept_out_from_the_minor_releases_on_that_can() {
        for (first, before) in [(130_016, 130_015), (140_013, 140_012), (150_008, 150_007), (160_004, 160_003)] {
            assert!(can_restrict_views(first) && !can_restrict_views(before), "{first}");
        }
        assert!(can_restrict_views(170_000) && can_restrict_views(180_001));
    }
}
