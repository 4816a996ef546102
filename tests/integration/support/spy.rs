//! Functions that write the role that runs them into the server's log. The log also shows runs in transactions that
//! write nothing or are rolled back.

use super::{Database, server};
use std::collections::BTreeSet;

impl Database {
    /// Statements that create in this schema: `spy(integer)`, which is declared immutable, and the trigger function
    /// `spy_row()`. Their owner is the role that runs the statements.
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

    /// The roles that have run a spy function of this database so far.
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
