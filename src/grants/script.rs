//! Writes the SQL. Active statements are the least that is needed. Optional ones are comments, with their benefit and cost.

use crate::config::Sequences;
use crate::sequences::{Relation, RequiredPrivileges};
use crate::sessions::StorePrivileges;
use pgmedic_core::quote_literal;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// The comment before the first database.
pub const HEAD: &str = "\
-- What pgmedic needs for the configured work, and nothing more.
-- Run it as a superuser, or as a role that may create roles and owns the objects below. Running it again changes nothing.
-- Run `pgmedic grants` again after tables were added or the configuration was changed.
";

/// The names of the role and of the database.
#[derive(Debug)]
pub struct RoleNames {
    /// Quoted by the server.
    pub role: String,
    pub raw_role: String,
    /// The database's own name, quoted by the server.
    pub database: String,
    /// Of the agent's connections to the server.
    pub max_connections: u32,
}

/// psql's command that changes to this database of the same server.
pub fn psql_connect(database: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !database.is_empty() && database.chars().all(is_plain) {
        return format!("\\connect {database}");
    }
    // A name with = or with quotes would be taken for something else, unless it stands in a connection string.
    let value = database.replace('\\', "\\\\").replace('\'', "\\'").replace('"', "\"\"");
    format!("\\connect -reuse-previous=on \"dbname='{value}'\"")
}

/// The SQL for one database; `label` is its configured name, `connect` psql's command that changes to it.
pub fn script(
    label: &str,
    connect: Option<&str>,
    names: &RoleNames,
    needs: &RequiredPrivileges,
    stores: &[StorePrivileges],
    settings: &Sequences,
) -> String {
    let RoleNames { role, database, max_connections, .. } = names;
    let mut out = SqlWriter::default();
    out.blank_line();
    match connect {
        // A line break would end the command.
        Some(connect) if !connect.contains(['\n', '\r']) => {
            out.comment(&format!("Database {label}"));
            out.line(connect);
        }
        _ => out.comment(&format!("Database {label}\nconnect to {database}")),
    }
    // psql takes the encoding of the database, and every client knows the statement.
    out.comment("The names below are UTF-8, and this tells the server so.");
    out.statement("SET client_encoding = 'UTF8'");
    for note in &needs.notes {
        out.comment(&format!("Not covered: {note}"));
    }

    out.blank_line();
    out.comment(&format!("The role. Give it a password in psql with: \\password {role}"));
    out.statement(&create_role(names));
    out.comment("No more connections than pgmedic opens to the server at a time (max_connections). Others must not use the role.");
    out.statement(&format!("ALTER ROLE {role} CONNECTION LIMIT {max_connections}"));
    out.statement(&format!("GRANT CONNECT ON DATABASE {database} TO {role}"));
    for schema in schemas(needs, stores) {
        out.statement(&format!("GRANT USAGE ON SCHEMA {schema} TO {role}"));
    }

    out.blank_line();
    out.comment("To check: the state of the sequences, and the columns that they feed.");
    for sequence in &needs.sequences {
        out.statement(&format!("GRANT SELECT ON SEQUENCE {} TO {role}", sequence.relation.name));
    }
    for table in &needs.tables {
        let columns: Vec<&str> = table.columns.iter().map(String::as_str).collect();
        out.statement(&format!("GRANT SELECT ({}) ON TABLE {} TO {role}", columns.join(", "), table.relation.name));
    }

    out.blank_line();
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
    statistics(&mut out, role);
    out.text
}

/// One statement that creates the role if it does not exist.
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
    let of_stores = stores.iter().flat_map(|store| {
        let of_sequences = store.sequences.iter().map(|(schema, _)| schema.as_str());
        let of_others = store.others.iter().map(|(schema, ..)| schema.as_str());
        std::iter::once(store.schema.as_str()).chain(of_sequences).chain(of_others)
    });
    relations(needs).map(|relation| relation.schema.as_str()).chain(of_stores).collect()
}

/// The privileges to sweep session stores. The column with the session's token is not among them: no sweep reads it. An id
/// that comes from a sequence is compared with that sequence.
fn sessions(out: &mut SqlWriter, role: &str, stores: &[StorePrivileges]) {
    if stores.is_empty() {
        return;
    }
    out.blank_line();
    out.comment("To sweep sessions. UPDATE of a column is needed to lock rows, so that sessions in use are skipped.");
    for StorePrivileges { table, columns, others, privileges, sequences, .. } in stores {
        let columns = columns.join(", ");
        out.statement(&format!("GRANT SELECT ({columns}), {} ON TABLE {table} TO {role}", privileges.join(", ")));
        for (_, other, columns) in others {
            out.statement(&format!("GRANT SELECT ({columns}) ON TABLE {other} TO {role}"));
        }
        for (_, sequence) in sequences {
            out.statement(&format!("GRANT SELECT ON SEQUENCE {sequence} TO {role}"));
        }
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
    out.blank_line();
    out.comment(&format!(
        "Row security hides rows of these tables from {role}, so their max id cannot be read:\n\
         they are reported as unreadable until a superuser runs the statement below. It lifts row security on \
         every table, but not\nthe limits above: {role} can still read the same columns only.\n  {}",
        hidden.join(", ")
    ));
    out.comment(&format!("ALTER ROLE {role} BYPASSRLS;"));
}

/// Optional membership in the role that sees other roles' statements.
fn statistics(out: &mut SqlWriter, role: &str) {
    out.blank_line();
    out.comment(&format!(
        "Optional: who was behind a drift. Benefit: findings name role, application, address and kind of statement.\n\
         Cost: {role} can read the statements of every role.\nGRANT pg_read_all_stats TO {role};"
    ));
}

/// Optional membership in the owners of the sequences, which alone may run ALTER SEQUENCE.
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
    out.blank_line();
    out.comment(&format!(
        "Optional: leaps. They need ALTER SEQUENCE, and so membership in the owner of the sequence.\nBenefit: lags above \
         advance_limit ({} values) are repaired instead of held, and sequences with CACHE above 1 are\nrepaired \
         completely: sessions drop the taken values in their cache.\nCost: {role} can do everything that the owner can.",
        settings.advance_limit
    ));
    for (owner, (superuser, cached)) in owners {
        if superuser {
            out.comment(&format!("{owner} is a superuser: give its sequences another owner instead."));
        }
        if !cached.is_empty() {
            out.comment(&format!("{owner} owns these with CACHE above 1: {}", cached.join(", ")));
        }
        out.comment(&format!("GRANT {owner} TO {role};"));
    }
}

fn default_privileges(out: &mut SqlWriter, role: &str, needs: &RequiredPrivileges, settings: &Sequences) {
    let others = |relation: &&Relation| relation.owner != role;
    let owner_and_schema = |relation: &Relation| (relation.owner.clone(), relation.schema.clone());
    let of_sequences: BTreeSet<_> =
        needs.sequences.iter().map(|sequence| &sequence.relation).filter(others).map(owner_and_schema).collect();
    let of_tables: BTreeSet<_> =
        needs.tables.iter().map(|table| &table.relation).filter(others).map(owner_and_schema).collect();
    if of_sequences.is_empty() && of_tables.is_empty() {
        return;
    }
    out.blank_line();
    out.comment(&format!(
        "Optional: sequences and tables that are created later. Benefit: no need to run this again.\nCost: default \
         privileges cannot name columns, so {role} can read all columns of these tables."
    ));
    let privileges = if settings.repair { "SELECT, USAGE" } else { "SELECT" };
    let mut statement = |(owner, schema): &(String, String), what: &str| {
        out.comment(&format!("ALTER DEFAULT PRIVILEGES FOR ROLE {owner} IN SCHEMA {schema} GRANT {what} TO {role};"));
    };
    for owner_and_schema in &of_sequences {
        statement(owner_and_schema, &format!("{privileges} ON SEQUENCES"));
    }
    for owner_and_schema in &of_tables {
        statement(owner_and_schema, "SELECT ON TABLES");
    }
}

/// Collects statements and comments.
#[derive(Debug, Default)]
struct SqlWriter {
    text: String,
}

impl SqlWriter {
    fn blank_line(&mut self) {
        self.text.push('\n');
    }

    /// Comments out every line: a name may contain a line break, and the text after it would be a statement.
    fn comment(&mut self, text: &str) {
        for line in text.split(['\n', '\r']) {
            // Writing to a String cannot fail.
            let _ = writeln!(self.text, "-- {line}");
        }
    }

    /// A command of psql.
    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{line}");
    }

    fn statement(&mut self, statement: &str) {
        let _ = writeln!(self.text, "{statement};");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(role: &str, raw: &str) -> RoleNames {
        RoleNames { role: role.to_owned(), raw_role: raw.to_owned(), database: "app".to_owned(), max_connections: 4 }
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
    fn psql_changes_to_a_database_of_any_name() {
        assert_eq!(psql_connect("tenant_7"), r"\connect tenant_7");
        assert_eq!(psql_connect(r#"a'b\c"d=e"#), r#"\connect -reuse-previous=on "dbname='a\'b\\c""d=e'""#);
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
