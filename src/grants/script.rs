//! The SQL's text. A statement that is active is the least that is needed; what is optional is commented out, with
//! what it buys and what it costs.

use crate::config::Sequences;
use crate::sequences::{Relation, RequiredPrivileges};
use crate::sessions::StorePrivileges;
use pgmedic_core::quote_literal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What stands before all databases.
pub const HEAD: &str = "\
-- What pgmedic needs for the configured work, and nothing more.
-- To be run by a superuser, or by whoever may create roles and owns what is granted. Running it again changes nothing.
-- Run `pgmedic grants` again when tables were added or the configuration was changed.
";

/// Names that are neither sequence nor table.
#[derive(Debug)]
pub struct RoleNames {
    /// Quoted by the server.
    pub role: String,
    pub raw_role: String,
    /// The database's own name, quoted by the server.
    pub database: String,
}

/// The SQL for one database; `label` is its configured name.
pub fn script(
    label: &str,
    names: &RoleNames,
    needs: &RequiredPrivileges,
    stores: &[StorePrivileges],
    settings: &Sequences,
) -> String {
    let RoleNames { role, database, .. } = names;
    let mut out = SqlWriter::default();
    out.gap();
    out.comment(&format!("Database {label}\nconnect to {database}"));
    for note in &needs.notes {
        out.comment(&format!("Not covered: {note}"));
    }

    out.gap();
    out.comment(&format!("The role. Give it a password in psql with: \\password {role}"));
    out.statement(&create_role(names));
    out.statement(&format!("GRANT CONNECT ON DATABASE {database} TO {role}"));
    for schema in schemas(needs, stores) {
        out.statement(&format!("GRANT USAGE ON SCHEMA {schema} TO {role}"));
    }

    out.gap();
    out.comment("To look: where the sequences stand, and the columns that they feed.");
    for sequence in &needs.sequences {
        out.statement(&format!("GRANT SELECT ON SEQUENCE {} TO {role}", sequence.relation.name));
    }
    for table in &needs.tables {
        let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        out.statement(&format!("GRANT SELECT ({}) ON TABLE {} TO {role}", columns.join(", "), table.relation.name));
    }

    out.gap();
    if settings.repair {
        out.comment("To repair: hand out values with nextval, which can only move forward.");
    } else {
        out.comment("Nothing to repair with: sequences.repair is false.");
    }
    for sequence in needs.sequences.iter().filter(|sequence| sequence.repair) {
        out.statement(&format!("GRANT USAGE ON SEQUENCE {} TO {role}", sequence.relation.name));
    }
    sessions(&mut out, role, stores);
    row_security(&mut out, role, needs, stores);
    owner_memberships(&mut out, role, needs, settings);
    default_privileges(&mut out, role, needs, settings);
    out.text
}

/// One statement that may be run any number of times.
fn create_role(names: &RoleNames) -> String {
    let body = format!(
        "BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {raw}) THEN CREATE ROLE {role} LOGIN; \
         END IF; END",
        raw = quote_literal(&names.raw_role),
        role = names.role,
    );
    if body.contains("$$") { format!("DO {}", quote_literal(&body)) } else { format!("DO $${body}$$") }
}

fn relations(needs: &RequiredPrivileges) -> impl Iterator<Item = &Relation> {
    let sequences = needs.sequences.iter().map(|sequence| &sequence.relation);
    sequences.chain(needs.tables.iter().map(|table| &table.relation))
}

fn schemas<'a>(needs: &'a RequiredPrivileges, stores: &'a [StorePrivileges]) -> BTreeSet<&'a str> {
    let of_stores = stores.iter().map(|store| store.schema.as_str());
    relations(needs).map(|relation| relation.schema.as_str()).chain(of_stores).collect()
}

/// What sweeping session stores needs: never a session's id, which it does not read.
fn sessions(out: &mut SqlWriter, role: &str, stores: &[StorePrivileges]) {
    if stores.is_empty() {
        return;
    }
    out.gap();
    out.comment("To sweep sessions. Locking rows, to leave alone what is being used, asks for UPDATE of a column.");
    for StorePrivileges { table, columns, privileges, .. } in stores {
        let columns = columns.join(", ");
        out.statement(&format!("GRANT SELECT ({columns}), {} ON TABLE {table} TO {role}", privileges.join(", ")));
    }
}

fn row_security(out: &mut SqlWriter, role: &str, needs: &RequiredPrivileges, stores: &[StorePrivileges]) {
    let fed = needs.tables.iter().map(|table| (&table.relation.name, &table.relation.owner, table.row_security));
    let swept = stores.iter().map(|store| (&store.table, &store.owner, store.row_security));
    let hidden: Vec<&str> = fed
        .chain(swept)
        .filter(|(_, owner, row_security)| *row_security && *owner != role)
        .map(|(name, ..)| name.as_str())
        .collect();
    if hidden.is_empty() {
        return;
    }
    out.gap();
    out.comment(&format!(
        "Row security hides rows of these tables from {role}, and the largest of the rows that are left would be a \
         wrong answer:\nthey count as unreadable until a superuser runs the statement below. It lifts row security on \
         every table, but not\nthe limits above: {role} can still read the same columns only.\n  {}",
        hidden.join(", ")
    ));
    out.comment(&format!("ALTER ROLE {role} BYPASSRLS;"));
}

/// What PostgreSQL lets nobody do but a sequence's owner.
fn owner_memberships(out: &mut SqlWriter, role: &str, needs: &RequiredPrivileges, settings: &Sequences) {
    let mut owners: BTreeMap<&str, (bool, Vec<&str>)> = BTreeMap::new();
    for sequence in needs.sequences.iter().filter(|sequence| sequence.repair && sequence.relation.owner != role) {
        let relation = &sequence.relation;
        let (superuser, cached) = owners.entry(&relation.owner).or_default();
        *superuser = relation.owner_is_superuser;
        if sequence.cached {
            cached.push(&relation.name);
        }
    }
    if owners.is_empty() {
        return;
    }
    out.gap();
    out.comment(&format!(
        "Optional: leaps, which need ALTER SEQUENCE, and so membership in the sequences' owner.\nBuys: gaps wider than \
         advance_limit ({} values) are repaired instead of held, and sequences with CACHE above 1 are\nmended \
         completely: sessions drop the taken values that they hold.\nCosts: {role} can do whatever that owner can.",
        settings.advance_limit
    ));
    for (owner, (superuser, cached)) in owners {
        if superuser {
            out.comment(&format!("{owner} is a superuser: rather give its sequences another owner than do this."));
        }
        if !cached.is_empty() {
            out.comment(&format!("{owner} owns these with CACHE above 1: {}", cached.join(", ")));
        }
        out.comment(&format!("GRANT {owner} TO {role};"));
    }
}

fn default_privileges(out: &mut SqlWriter, role: &str, needs: &RequiredPrivileges, settings: &Sequences) {
    let places = |relation: &&Relation| relation.owner != role;
    let place = |relation: &Relation| (relation.owner.clone(), relation.schema.clone());
    let of_sequences: BTreeSet<_> =
        needs.sequences.iter().map(|sequence| &sequence.relation).filter(places).map(place).collect();
    let of_tables: BTreeSet<_> = needs.tables.iter().map(|table| &table.relation).filter(places).map(place).collect();
    if of_sequences.is_empty() && of_tables.is_empty() {
        return;
    }
    out.gap();
    out.comment(&format!(
        "Optional: sequences and tables that are created later. Buys: no need to run this again.\nCosts: default \
         privileges know no columns, so {role} can read these tables as a whole."
    ));
    let privileges = if settings.repair { "SELECT, USAGE" } else { "SELECT" };
    let mut statement = |(owner, schema): &(String, String), what: &str| {
        out.comment(&format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT {what} TO {role};"));
    };
    of_sequences.iter().for_each(|place| statement(place, &format!("{privileges} ON SEQUENCES")));
    of_tables.iter().for_each(|place| statement(place, "SELECT ON TABLES"));
}

/// Text in the making.
#[derive(Debug, Default)]
struct SqlWriter {
    text: String,
}

impl SqlWriter {
    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Every line of it: a name may hold a line break, behind which it would be a statement.
    fn comment(&mut self, text: &str) {
        for line in text.split(['\n', '\r']) {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "-- {line}");
        }
    }

    fn statement(&mut self, statement: &str) {
        let _ = writeln!(self.text, "{statement};");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(role: &str, raw: &str) -> RoleNames {
        RoleNames { role: role.to_owned(), raw_role: raw.to_owned(), database: "app".to_owned() }
    }

    #[test]
    fn the_role_is_created_once() {
        assert_eq!(
            create_role(&names("pgmedic", "pgmedic")),
            "DO $$BEGIN IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'pgmedic') \
             THEN CREATE ROLE pgmedic LOGIN; END IF; END$$"
        );
    }

    #[test]
    fn no_name_ends_the_quotes_it_stands_in() {
        let statement = create_role(&names("\"a$$; DROP '\"", "a$$; DROP '"));
        assert!(statement.starts_with("DO 'BEGIN"), "{statement}");
        assert!(statement.contains("rolname = ''a$$; DROP ''''''") && statement.ends_with("END'"), "{statement}");
    }

    #[test]
    fn no_name_breaks_out_of_a_comment() {
        let mut out = SqlWriter::default();
        out.comment("GRANT \"a\nDROP TABLE b;\rDROP TABLE c;\" TO d;");
        assert!(out.text.lines().all(|line| line.starts_with("-- ")), "{}", out.text);
        assert_eq!(out.text.lines().count(), 3);
    }
}
