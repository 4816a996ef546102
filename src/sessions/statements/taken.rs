//! The statements that notice what triggers delete in other tables.

use super::sweep_sql::SweepSql;
use pgmedic_core::{fill_sql, quote_literal};

const DELETED: &str = include_str!("deleted.sql");

impl SweepSql<'_> {
    /// Notes, before a batch, what this server process has deleted in each table, and which relations may be dropped: temporary
    /// ones, and those that triggers create and drop again, whose OIDs are larger than all others.
    pub fn note_deleted(&self) -> String {
        let deleted = fill_sql::<&str>(DELETED, &[]);
        format!(
            "SELECT pg_catalog.set_config('pgmedic.deleted_before', ({deleted})::text, true), \
             pg_catalog.set_config('pgmedic.last_oid_before', (SELECT max(oid)::text FROM pg_catalog.pg_class), true), \
             pg_catalog.set_config('pgmedic.temporary_before', \
             ARRAY(SELECT oid FROM pg_catalog.pg_class WHERE relpersistence = 't')::text, true)"
        )
    }

    /// After a batch: the names of the other tables that have lost rows with it, as `taken`; and a statement that fails where there
    /// are any.
    pub fn check_taken(&self) -> [String; 2] {
        let along: Vec<String> = self.store.effects.takes_along.iter().map(|table| quote_literal(table)).collect();
        let values = [
            ("DELETED", fill_sql::<&str>(DELETED, &[])),
            ("OIDS", self.store.oid_array()),
            ("TAKES_ALONG", format!("ARRAY[{}]::text[]", along.join(", "))),
        ];
        let check = "SELECT 1 / (pg_catalog.current_setting('pgmedic.taken') = '0')::integer";
        [fill_sql(include_str!("taken.sql"), &values), check.to_owned()]
    }
}
