//! The SQL that creates a case.

use super::super::names::{constant, quoted};
use super::{Case, Link, Trait};
use std::fmt::Write as _;

impl Case {
    /// The SQL that creates all objects. The owner runs it.
    pub fn sql(&self, stranger: &str, owner: &str) -> String {
        let [schema, other] = [&self.schema, &self.other_schema].map(|name| quoted(name));
        let mut sql = format!("CREATE SCHEMA {schema}; CREATE SCHEMA {other};\n");
        let (sequence, table, column) = (self.sequence(), self.table(), quoted(&self.column));
        let options = self.options();
        let mut kind = self.kind;
        let mut default = format!("DEFAULT {}", self.nextval());
        let mut owned = matches!(
            self.link,
            Link::Serial
                | Link::Owned
                | Link::Partitioned
                | Link::Inherited
                | Link::Computed
                | Link::Late
                | Link::Function
                | Link::TextColumn
                | Link::Cycle
        );
        // PostgreSQL requires an owned sequence to be in its table's schema.
        let table = if owned { format!("{schema}.{}", quoted(&self.table)) } else { table };
        if self.link != Link::Identity {
            let _ = writeln!(sql, "CREATE SEQUENCE {sequence} {options};");
        }
        match self.link {
            Link::Owned | Link::Lonely | Link::View | Link::Stranger => default.clear(),
            Link::Identity => {
                if kind.starts_with("numeric") {
                    kind = "bigint";
                }
                default = format!("GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME {sequence} {options})");
                owned = false;
            }
            Link::Computed => default += " * 10",
            Link::Late => default = format!("DEFAULT nextval({}::text)", constant(&sequence)),
            Link::Function => {
                let _ = writeln!(
                    sql,
                    "CREATE FUNCTION {schema}.f() RETURNS bigint LANGUAGE sql AS {};",
                    constant(&format!("SELECT {}", self.nextval()))
                );
                default = format!("DEFAULT {schema}.f()");
            }
            Link::TextColumn => kind = "text",
            Link::Domain => {
                let _ = writeln!(
                    sql,
                    "CREATE DOMAIN {schema}.d AS {kind} {default} CHECK (m.spy(1) > 0); CREATE DOMAIN {schema}.dd AS {schema}.d;"
                );
                default.clear();
            }
            _ => {}
        }
        let kind = if self.link == Link::Domain { format!("{schema}.dd") } else { kind.to_owned() };
        // An identity sequence is in its table's schema too.
        let table = if self.link == Link::Identity { format!("{schema}.{}", quoted(&self.table)) } else { table };
        let unlogged = if self.with == Trait::Unlogged && self.link != Link::Partitioned { "UNLOGGED" } else { "" };
        let partitioned = if self.link == Link::Partitioned { "PARTITION BY LIST (k)" } else { "" };
        let _ = writeln!(
            sql,
            "CREATE {unlogged} TABLE {table} (gone text, k integer, {column} {kind} {default}) {partitioned}; \
             ALTER TABLE {table} DROP COLUMN gone;"
        );
        if owned {
            let _ = writeln!(sql, "ALTER SEQUENCE {sequence} OWNED BY {table}.{column};");
        }
        let mut filled = table.clone();
        let twin = format!("{other}.{}", quoted(&self.sequence));
        let twins = format!(
            "CREATE TABLE {twin} ({column} {kind}, other text, gone integer, k integer); \
                             ALTER TABLE {twin} DROP COLUMN gone;"
        );
        match self.link {
            Link::Partitioned => {
                let _ = writeln!(
                    sql,
                    "{twins} ALTER TABLE {twin} DROP COLUMN other; ALTER TABLE {table} ATTACH PARTITION {twin} FOR VALUES IN (1);"
                );
            }
            Link::Inherited => {
                let _ = writeln!(sql, "{twins} ALTER TABLE {twin} INHERIT {table};");
                filled = twin;
            }
            Link::Shared => {
                let _ = writeln!(sql, "{twins} ALTER TABLE {twin} ALTER {column} SET {default};");
                filled = twin;
            }
            Link::View => {
                let _ = writeln!(
                    sql,
                    "CREATE VIEW {twin} AS SELECT {column} FROM {table}; ALTER VIEW {twin} ALTER {column} SET DEFAULT {};",
                    self.nextval()
                );
            }
            Link::Stranger => {
                let _ = writeln!(
                    sql,
                    "GRANT USAGE, CREATE ON SCHEMA {schema} TO {stranger}; GRANT USAGE ON SEQUENCE {sequence} TO {stranger};
                     RESET ROLE; SET ROLE {stranger};
                     CREATE TABLE {schema}.theirs (id bigint DEFAULT {}); INSERT INTO {schema}.theirs VALUES (9000), (-9000);
                     RESET ROLE; SET ROLE {owner};",
                    self.nextval()
                );
            }
            _ => {}
        }
        for id in self.ids() {
            let _ = writeln!(sql, "INSERT INTO {filled} ({column}, k) OVERRIDING SYSTEM VALUE VALUES ('{id}', 1);");
        }
        if self.called {
            let before = self.next - self.increment;
            let _ = writeln!(sql, "SELECT setval({}, {before}, true);", constant(&sequence));
        }
        // Inserts of taken ids fail in every table, whichever has the rows.
        let key = if self.link == Link::Partitioned { format!("{column}, k") } else { column.clone() };
        let _ = writeln!(sql, "CREATE UNIQUE INDEX ON {table} ({key});");
        if filled != table {
            let _ = writeln!(sql, "CREATE UNIQUE INDEX ON {filled} ({key});");
        }
        if self.indexed {
            let _ = writeln!(sql, "CREATE INDEX ON {table} ({column});");
        }
        let _ = writeln!(sql, "{}", self.afterthought(&table, &sequence, owner));
        sql
    }

    fn options(&self) -> String {
        let cycle = if self.link == Link::Cycle { "CYCLE" } else { "" };
        let Self { increment, next, .. } = self;
        format!("INCREMENT {increment} MINVALUE -30000 MAXVALUE 30000 START {next} {cycle}")
    }

    /// The SQL for the additional property, which is run after the ids were inserted.
    fn afterthought(&self, table: &str, sequence: &str, owner: &str) -> String {
        match self.with {
            Trait::Plain | Trait::Unlogged => String::new(),
            Trait::RowSecurity => {
                format!(
                    "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON {table} USING (m.spy(1) = 2);"
                )
            }
            Trait::ForcedRowSecurity => format!(
                "ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                 CREATE POLICY p ON {table} USING (m.spy(1) = 2);"
            ),
            Trait::Unselectable => format!("REVOKE SELECT ON {table} FROM {owner};"),
            Trait::Spied => format!("CREATE INDEX ON {table} (m.spy(0));"),
            Trait::Triggers => format!(
                "CREATE TRIGGER a BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION m.spy_row();
                 CREATE TRIGGER b AFTER TRUNCATE ON {table} EXECUTE FUNCTION m.spy_row();"
            ),
            Trait::Rules => format!(
                "CREATE RULE r AS ON INSERT TO {table} DO INSTEAD NOTHING;
                 CREATE RULE s AS ON UPDATE TO {table} DO ALSO SELECT m.tell();"
            ),
            Trait::Generated => {
                format!(
                    "ALTER TABLE {table} ADD g integer GENERATED ALWAYS AS (m.spy(k)) STORED, ADD h int DEFAULT m.tell();"
                )
            }
            Trait::Checked => format!("ALTER TABLE {table} ADD CHECK (m.spy(k) > 0) NOT VALID;"),
            Trait::ExtensionMember => {
                let what =
                    if self.link == Link::Identity { format!("TABLE {table}") } else { format!("SEQUENCE {sequence}") };
                format!("RESET ROLE; ALTER EXTENSION plpgsql ADD {what}; SET ROLE {owner};")
            }
        }
    }
}
