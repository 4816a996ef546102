//! A function that tells in the server's log whose rights it runs with, also from a transaction that writes nothing or
//! is rolled back.

use super::{Database, server};
use std::collections::BTreeSet;

impl Database {
    /// Statements that create, as whoever runs them, `spy(integer)`, which passes for immutable, and the trigger
    /// function `spy_row()`, in this schema.
    pub fn spies(&self, schema: &str) -> String {
        let mark = self.mark();
        format!(
            "CREATE FUNCTION {schema}.tell() RETURNS integer VOLATILE LANGUAGE plpgsql AS
                 $$ BEGIN RAISE LOG '{mark}%.', current_user; RETURN 1; END $$;
             CREATE FUNCTION {schema}.spy(integer) RETURNS integer IMMUTABLE LANGUAGE plpgsql AS
                 $$ BEGIN RETURN {schema}.tell(); END $$;
             CREATE FUNCTION {schema}.spy_row() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN PERFORM {schema}.tell(); RETURN COALESCE(NEW, OLD); END $$;"
        )
    }

    /// The roles whose rights the spies of this database have run with so far.
    pub fn spied(&self) -> BTreeSet<String> {
        let log = server().data_dir().with_file_name("server.log");
        let log = std::fs::read(log).expect("the server's log");
        let log = String::from_utf8_lossy(&log).into_owned();
        let mark = self.mark();
        let told = log.split(&mark).skip(1);
        told.filter_map(|rest| rest.split_once('.')).map(|(role, _)| role.to_owned()).collect()
    }

    fn mark(&self) -> String {
        format!("a spy in {} runs as ", self.name)
    }
}
