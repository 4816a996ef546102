//! What ending a session does to other rows: by foreign keys, which are followed to the end, and by triggers and rules.

use super::columns::missing_index;
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What ending a session does besides.
#[derive(Debug, Clone, Default)]
pub struct Effects {
    /// Why no session of this store can be ended at all.
    pub refusal: Option<Reason>,
    /// Why the sweep is held until the database is changed; no approval lets it through.
    pub blocks: Vec<Reason>,
    /// Why the sweep is held unless it is approved: it would delete rows that are more than a part of a session.
    pub holds: Vec<Reason>,
    pub warnings: Vec<Reason>,
    /// The enabled triggers that run when a session is ended.
    pub triggers: Vec<SweepTrigger>,
    /// Foreign keys act on other rows, so that a batch takes longer than its size tells.
    pub has_foreign_keys: bool,
}

/// A trigger that runs when a session is ended. Names are quoted.
#[derive(Debug, Clone)]
pub struct SweepTrigger {
    pub relation: String,
    pub name: String,
    pub function: String,
    /// It runs before a session is ended, and may keep it.
    pub may_keep_rows: bool,
    /// Makes unqualified names in its function work; none where the function sets a search path.
    pub search_path_fix: Option<String>,
}

impl Effects {
    /// `keys`, `code` and `role` are the rows of `effects.sql`, `code.sql` and `replication_role.sql`. Foreign keys act
    /// only where sessions are deleted.
    pub fn read(keys: &[PgRow], code: &[PgRow], role: &[PgRow], deletes: bool) -> Result<Self, QueryError> {
        let mut effects = Self::default();
        for row in code {
            effects.add_code(row)?;
        }
        let Some(role) = role.first() else {
            return Err(QueryError::UnexpectedResponse("the replication role was not read".to_owned()));
        };
        let keys = keys.iter().map(ForeignKey::read).collect::<Result<Vec<_>, _>>()?;
        let enforced: Vec<&ForeignKey> = keys.iter().filter(|key| deletes && !key.is_not_enforced).collect();
        let keys_are_off = role.try_get::<String, _>("replication_role")? == "replica";
        if let (true, Some(key)) = (keys_are_off, enforced.first()) {
            let fix: Option<String> = role.try_get("fix")?;
            effects.blocks.push(replica_reason(key, fix));
        }
        effects.has_foreign_keys = !enforced.is_empty();
        for key in enforced {
            effects.add_key(key);
        }
        Ok(effects)
    }

    fn add_key(&mut self, key: &ForeignKey) {
        if let Some(fix) = &key.disabled_fix {
            let text = format!("{} does not act, because its triggers are disabled", key.title());
            self.blocks.push(Reason::new(ReasonKind::ForeignKeysOff, text).with_fix(Fix::Sql(fix.clone())));
        }
        match key.on_delete.as_str() {
            "c" if key.leads_back => {
                self.refusal.get_or_insert_with(|| key.ring_reason());
            }
            "c" => self.holds.extend(key.hold()),
            "a" | "r" => self.warnings.push(key.stop_warning()),
            _ => {}
        }
        if !key.is_indexed {
            let ForeignKey { child, parent, columns, .. } = key;
            let text = match key.steps {
                0 => format!("{child} refers to the sessions without an index, so each deletion reads all of it"),
                _ => format!(
                    "{child} refers to {parent}, whose rows are deleted with the sessions, without an index, so each \
                     deletion reads all of it"
                ),
            };
            self.warnings.push(missing_index(text, child, key.is_partitioned, &format!("({columns})")));
        }
    }

    fn add_code(&mut self, row: &PgRow) -> Result<(), QueryError> {
        let (relation, name): (String, String) = (row.try_get("relation")?, row.try_get("name")?);
        let is_disabled: bool = row.try_get("is_disabled")?;
        if row.try_get::<String, _>("kind")? == "rule" {
            if !is_disabled {
                let text = format!(
                    "the rule {name} of {relation} rewrites the statement that ends a session: replace it by a trigger, \
                     or end sessions by another `action`"
                );
                self.refusal.get_or_insert_with(|| Reason::new(ReasonKind::RewriteRule, text));
            }
            return Ok(());
        }
        if is_disabled {
            if row.try_get("is_store")? {
                let text =
                    format!("the trigger {name} of {relation} is disabled, so it does not act on ended sessions");
                self.warnings.push(Reason::new(ReasonKind::TriggerDisabled, text));
            }
            return Ok(());
        }
        let search_path_fix = match row.try_get("has_no_search_path")? {
            true => row.try_get("fix")?,
            false => None,
        };
        self.triggers.push(SweepTrigger {
            relation,
            name,
            function: row.try_get("function")?,
            may_keep_rows: row.try_get("may_keep_rows")?,
            search_path_fix,
        });
        Ok(())
    }
}

/// Foreign keys do not act in this session.
fn replica_reason(key: &ForeignKey, fix: Option<String>) -> Reason {
    let text = format!(
        "session_replication_role is replica, so foreign keys do not act, and {} would be left with rows that refer to \
         nothing; set it to origin for this role",
        key.child
    );
    let reason = Reason::new(ReasonKind::ForeignKeysOff, text);
    match fix {
        Some(fix) => reason.with_fix(Fix::Sql(fix)),
        None => reason,
    }
}

/// A foreign key that a deletion reaches. Names are quoted by the server.
#[derive(Debug)]
struct ForeignKey {
    child: String,
    parent: String,
    /// How far the parent is from the sessions: 0 it is their table, 1 its rows refer to a session, 2 it is further away.
    steps: i32,
    is_partitioned: bool,
    /// The child is the table of the sessions.
    leads_back: bool,
    /// Sessions refer to the child.
    is_parent_of_store: bool,
    name: String,
    columns: String,
    are_nullable: bool,
    /// As `pg_constraint.confdeltype`.
    on_delete: String,
    is_referenced: bool,
    disabled_fix: Option<String>,
    is_not_enforced: bool,
    is_indexed: bool,
    definition: String,
    deferrability: String,
    is_validated: bool,
}

impl ForeignKey {
    /// `row` is of `effects.sql`.
    fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            child: row.try_get("child")?,
            parent: row.try_get("parent")?,
            steps: row.try_get("steps")?,
            is_partitioned: row.try_get("is_partitioned")?,
            leads_back: row.try_get("leads_back")?,
            is_parent_of_store: row.try_get("is_parent_of_store")?,
            name: row.try_get("name")?,
            columns: row.try_get("columns")?,
            are_nullable: row.try_get("are_nullable")?,
            on_delete: row.try_get("on_delete")?,
            is_referenced: row.try_get("is_referenced")?,
            disabled_fix: row.try_get("disabled_fix")?,
            is_not_enforced: row.try_get("is_not_enforced")?,
            is_indexed: row.try_get("is_indexed")?,
            definition: row.try_get("definition")?,
            deferrability: row.try_get("deferrability")?,
            is_validated: row.try_get("is_validated")?,
        })
    }

    fn title(&self) -> String {
        let Self { name, child, columns, parent, .. } = self;
        format!("the foreign key {name} of {child} ({columns}), which refers to {parent},")
    }

    /// Deleting a session would delete sessions that are not over.
    fn ring_reason(&self) -> Reason {
        let text = format!(
            "{} is ON DELETE CASCADE and leads back to the sessions, so ending one would end live ones too: ON DELETE SET \
             NULL keeps them",
            self.title()
        );
        let reason = Reason::new(ReasonKind::ForeignKeyRing, text);
        if self.are_nullable { reason.with_fix(self.replaced_by("SET NULL")) } else { reason }
    }

    /// Why the rows of the child are not deleted without an approval.
    fn hold(&self) -> Option<Reason> {
        let Self { child, .. } = self;
        let why = if self.is_parent_of_store {
            format!("sessions refer to {child}")
        } else if is_table_of_people(child) {
            format!("{child} is no part of a session by its name")
        } else if self.steps > 0 {
            format!("{child} refers to no session itself")
        } else if self.are_nullable && self.is_referenced {
            format!("rows of {child} exist without a session, and other tables refer to them")
        } else {
            return None;
        };
        let text = format!(
            "{} is ON DELETE CASCADE, so rows of {child} would be deleted with the sessions: {why}",
            self.title()
        );
        Some(Reason::new(ReasonKind::TakesAlong, text))
    }

    /// The fix keeps the rows of the child where its column may be NULL, and deletes them only where they are a part of
    /// the session.
    fn stop_warning(&self) -> Reason {
        let Self { child, columns, .. } = self;
        let whose = if self.leads_back {
            format!("{child} refers to itself by {columns}, and a session that another one refers to cannot be deleted")
        } else if self.steps == 0 {
            format!("{child} refers to the sessions, and a session with rows there cannot be deleted")
        } else {
            format!("{child} refers to {}, and a session with rows there cannot be deleted", self.parent)
        };
        if self.are_nullable {
            let text = format!("{whose}; the fix keeps those rows, and sets {columns} to NULL");
            Reason::new(ReasonKind::ForeignKey, text).with_fix(self.replaced_by("SET NULL"))
        } else if self.leads_back
            || self.is_parent_of_store
            || self.is_referenced
            || self.steps > 0
            || is_table_of_people(child)
        {
            let text = format!(
                "{whose}; {columns} may not be NULL, and ON DELETE CASCADE would delete more than a session: let the \
                 application remove those rows, or end sessions by `revoke`"
            );
            Reason::new(ReasonKind::ForeignKey, text)
        } else {
            let text =
                format!("{whose}; the fix deletes the rows of {child} that refer to an ended session, and no others");
            Reason::new(ReasonKind::ForeignKey, text).with_fix(self.replaced_by("CASCADE"))
        }
    }

    /// The same constraint with another action. It is added without a check and validated after, so that writes go on
    /// meanwhile; PostgreSQL before version 18 offers that for no partitioned table.
    fn replaced_by(&self, action: &str) -> Fix {
        let Self { child, name, definition, deferrability, .. } = self;
        let add = format!(
            "ALTER TABLE {child} DROP CONSTRAINT {name}, ADD CONSTRAINT {name} {definition} ON DELETE {action}{deferrability}"
        );
        Fix::Sql(match (self.is_partitioned, self.is_validated) {
            (true, _) => add,
            (false, true) => format!("{add} NOT VALID; ALTER TABLE {child} VALIDATE CONSTRAINT {name}"),
            (false, false) => format!("{add} NOT VALID"),
        })
    }
}

/// Whether the table holds people or what belongs to them, by its name: `table` is schema-qualified and quoted.
fn is_table_of_people(table: &str) -> bool {
    const NAMES: [&str; 13] = [
        "user",
        "account",
        "customer",
        "member",
        "person",
        "people",
        "employee",
        "student",
        "patient",
        "tenant",
        "organization",
        "company",
        "order",
    ];
    let name = table.rsplit('.').next().unwrap_or(table).trim_matches('"').to_lowercase();
    let last = name.rsplit('_').next().unwrap_or(&name);
    let singular = last
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .unwrap_or_else(|| last.trim_end_matches('s').to_owned());
    NAMES.contains(&singular.as_str()) || NAMES.contains(&last)
}

#[cfg(test)]
#[path = "effects_tests.rs"]
mod tests;
