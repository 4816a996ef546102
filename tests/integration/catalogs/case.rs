//! One sequence and the objects that use it, made at random, with the expected result derived from how they were made.

use super::dice::Dice;
use super::names::{any, constant, quoted};
use std::fmt::Write as _;

/// How the sequence and a column are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Serial,
    Identity,
    /// A default without ownership, in a schema other than the sequence's.
    Default,
    /// Ownership without a default.
    Owned,
    Domain,
    /// Partitions with the columns in another order.
    Partitioned,
    /// A child that was a separate table before.
    Inherited,
    /// Two tables on one sequence. Only the second one has ids.
    Shared,
    /// `nextval(…) * 10`.
    Computed,
    /// The name of the sequence as text, for which the catalog records no dependency.
    Late,
    Function,
    TextColumn,
    Cycle,
    Lonely,
    /// A table whose owner does not own the sequence.
    Stranger,
    View,
}

const LINKS: [Link; 16] = [
    Link::Serial,
    Link::Identity,
    Link::Default,
    Link::Owned,
    Link::Domain,
    Link::Partitioned,
    Link::Inherited,
    Link::Shared,
    Link::Computed,
    Link::Late,
    Link::Function,
    Link::TextColumn,
    Link::Cycle,
    Link::Lonely,
    Link::Stranger,
    Link::View,
];

/// One additional property of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    Plain,
    RowSecurity,
    ForcedRowSecurity,
    /// The owner has revoked its SELECT on the table.
    Unselectable,
    /// An index that calls a function of the owner.
    Spied,
    Triggers,
    Rules,
    Generated,
    Checked,
    ExtensionMember,
    Unlogged,
}

const TRAITS: [Trait; 11] = [
    Trait::Plain,
    Trait::RowSecurity,
    Trait::ForcedRowSecurity,
    Trait::Unselectable,
    Trait::Spied,
    Trait::Triggers,
    Trait::Rules,
    Trait::Generated,
    Trait::Checked,
    Trait::ExtensionMember,
    Trait::Unlogged,
];

/// The role that runs pgmedic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Superuser,
    Owner,
    /// The role created by the SQL of `pgmedic grants`.
    Medic,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub schema: String,
    pub other_schema: String,
    pub table: String,
    pub column: String,
    pub sequence: String,
    pub link: Link,
    pub with: Trait,
    pub increment: i64,
    /// The value that `nextval` would return.
    pub next: i64,
    called: bool,
    /// The max id in the residue class of the sequence, as a distance from the next value in steps.
    drift: Option<i64>,
    /// Whether there is an id in the residue class that was handed out before.
    old: bool,
    /// Whether there is an id beyond all others, in another residue class.
    stray: bool,
    kind: &'static str,
    indexed: bool,
}

pub fn any_case(dice: &mut Dice, number: usize) -> Case {
    let increment = *dice.pick(&[1, 1, 1, -1, 5, -3, 10]);
    let [schema, other_schema, table, column, sequence] = std::array::from_fn(|place| any(dice, number * 5 + place));
    Case {
        schema,
        other_schema,
        table,
        column,
        sequence,
        link: *dice.pick(&LINKS),
        with: *dice.pick(&TRAITS),
        increment,
        next: dice.between(100, 5000) * increment.signum(),
        called: dice.one_in(2),
        drift: dice.one_in(2).then(|| dice.between(0, 60)),
        old: dice.one_in(2),
        stray: dice.one_in(3) && increment.abs() > 1,
        kind: dice.pick::<&str>(&["smallint", "integer", "bigint", "numeric", "numeric(20)"]),
        indexed: dice.one_in(2),
    }
}

impl Case {
    /// The sequence's name, quoted for SQL.
    pub fn sequence(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.sequence))
    }

    fn table(&self) -> String {
        format!("{}.{}", quoted(&self.other_schema), quoted(&self.table))
    }

    fn nextval(&self) -> String {
        format!("nextval({}::regclass)", constant(&self.sequence()))
    }

    fn ids(&self) -> impl Iterator<Item = i64> {
        let at = |steps: i64| self.next + steps * self.increment;
        let old = self.old.then(|| at(-3));
        let stray = self.stray.then(|| at(70) + 1);
        [old, self.drift.map(at), stray].into_iter().flatten()
    }

    /// Whether the max id is compared, privileges aside. If not, the expected verdict.
    fn judged(&self) -> Result<(), &'static str> {
        match self.link {
            Link::Computed | Link::Late | Link::Function | Link::TextColumn | Link::Cycle => Err("unsupported"),
            Link::Lonely | Link::Stranger | Link::View => Err("unlinked"),
            _ => Ok(()),
        }
    }

    pub fn verdict(&self, who: Who) -> &'static str {
        let hidden = match self.with {
            Trait::Spied | Trait::Checked => who == Who::Superuser,
            Trait::RowSecurity => who == Who::Medic,
            Trait::ForcedRowSecurity => who != Who::Superuser,
            Trait::Unselectable => who == Who::Owner,
            _ => false,
        };
        match self.judged() {
            Err(verdict) => verdict,
            Ok(()) if hidden => "unreadable",
            Ok(()) if self.drift.is_some() => "behind",
            Ok(()) => "in_sync",
        }
    }

    /// The value that `nextval` must return after a pass run by `who`.
    pub fn next_after(&self, who: Who, advance_limit: i64) -> i64 {
        match self.drift {
            Some(steps) if self.verdict(who) == "behind" && (who != Who::Medic || steps < advance_limit) => {
                self.next + (steps + 1) * self.increment
            }
            _ => self.next,
        }
    }

    /// Whether reading the table runs code of its owner.
    pub fn runs_code(&self) -> bool {
        self.with == Trait::Spied && self.judged().is_ok()
    }

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
