//! What ending a session does to other rows: by foreign keys, which are followed to the end, and by triggers and rules.

use super::columns::missing_index;
use super::foreign_key::ForeignKey;
use crate::config::{Action, SessionStoreConfig};
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
    /// The tables whose rows foreign keys delete with a session.
    pub takes_along: Vec<String>,
    /// The enabled triggers that run when a session is ended.
    pub triggers: Vec<SweepTrigger>,
    /// Foreign keys act on other rows, so that a batch takes longer than its size tells.
    pub has_foreign_keys: bool,
    /// The foreign keys by which a session keeps another one, so that the order matters in which they are ended: over the
    /// sessions `r` and `t`, the one refers to the other; and the columns that this reads.
    pub chains: Vec<(String, String)>,
    /// A foreign key changes sessions that go on: it sets their reference to a session, or to what goes with it, to NULL.
    pub updates_sessions: bool,
    /// The columns that a foreign key sets to their default, which must be a row's key.
    pub set_default: Vec<String>,
}

/// A trigger that runs when a session is ended. Names are quoted.
#[derive(Debug, Clone)]
pub struct SweepTrigger {
    pub relation: String,
    pub name: String,
    pub function: String,
    /// It runs before a session is ended, and may keep it.
    pub may_keep_rows: bool,
    /// Its function sets no search path, so that names without a schema do not work in it.
    pub has_no_search_path: bool,
    /// Makes them work, where that changes nothing for the application.
    pub search_path_fix: Option<String>,
}

impl Effects {
    /// `keys`, `code` and `role` are the rows of `effects.sql`, `code.sql` and `replication_role.sql`.
    pub fn read(
        keys: &[PgRow],
        code: &[PgRow],
        role: &[PgRow],
        store: &SessionStoreConfig,
    ) -> Result<Self, QueryError> {
        // Foreign keys act only where sessions are deleted.
        let deletes = matches!(store.action, Action::Delete);
        let other_stores: Vec<String> = store.other_stores.iter().map(ToString::to_string).collect();
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
        if !effects.triggers.is_empty() && !role.try_get::<bool, _>("counts_rows")? {
            effects.blocks.push(uncounted_reason());
        }
        effects.has_foreign_keys = !enforced.is_empty();
        for key in enforced {
            effects.add_key(key, other_stores.contains(&key.child));
        }
        Ok(effects)
    }

    fn add_key(&mut self, key: &ForeignKey, is_other_store: bool) {
        if let Some(fix) = &key.disabled_fix {
            let text = format!("{} does not act, because its triggers are disabled", key.title());
            self.blocks.push(Reason::new(ReasonKind::ForeignKeysOff, text).with_fix(Fix::Sql(fix.clone())));
        }
        self.updates_sessions |= key.leads_back && matches!(key.on_delete.as_str(), "n" | "d");
        match key.on_delete.as_str() {
            "c" if key.leads_back => {
                self.refusal.get_or_insert_with(|| key.ring_reason());
            }
            "c" => {
                self.holds.extend(key.hold(is_other_store));
                if !self.takes_along.contains(&key.child) {
                    self.takes_along.push(key.child.clone());
                }
            }
            "a" | "r" => {
                if key.leads_back {
                    self.chains.push((key.refers.clone(), key.read_columns.clone()));
                }
                self.warnings.push(key.stop_warning());
            }
            "n" if key.cannot_clear => self.warnings.push(key.stop_warning()),
            "d" => self.set_default.extend(key.defaults.as_ref().map(|columns| format!("{} ({columns})", key.child))),
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
            let is_more = !row.try_get::<bool, _>("may_keep_rows")? && !row.try_get::<bool, _>("is_store")?;
            if !is_disabled && is_more {
                let text =
                    format!("the rule {name} of {relation} deletes other rows with the rows that refer to a session");
                self.holds.push(Reason::new(ReasonKind::TakesAlong, text));
            } else if !is_disabled {
                let what = match row.try_get("is_store")? {
                    true => "the statement that ends a session",
                    false => "what a foreign key does to rows that refer to a session",
                };
                let text = format!(
                    "the rule {name} of {relation} rewrites {what}: replace it by a trigger, or end sessions by another \
                     `action`"
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
        let function: String = row.try_get("function")?;
        if row.try_get("may_orphan_rows")? {
            let text = format!(
                "the trigger {name} of {relation}, which runs {function}, may keep a row as it is when a foreign key changes \
                 it, and that row would refer to no session any more: let it return the row in each case, or make it an AFTER \
                 trigger"
            );
            self.holds.push(Reason::new(ReasonKind::TriggerKeepsRows, text));
        }
        self.triggers.push(SweepTrigger {
            relation,
            name,
            function,
            may_keep_rows: row.try_get("may_keep_rows")?,
            has_no_search_path: row.try_get("has_no_search_path")?,
            search_path_fix: row.try_get("fix")?,
        });
        Ok(())
    }
}

/// What a trigger deletes with the sessions could not be noticed.
fn uncounted_reason() -> Reason {
    let text = "track_counts is off, so it could not be noticed if a trigger of the table ended live sessions: switch it on for \
                this role (ALTER ROLE ... SET track_counts = on, as a superuser)";
    Reason::new(ReasonKind::Configuration, text)
}

/// Foreign keys do not act in this session.
fn replica_reason(key: &ForeignKey, fix: Option<String>) -> Reason {
    let text = format!(
        "session_replication_role is replica, so foreign keys do not act, and {} would be left with rows that refer to \
         nothing; set it to origin for this role, or in the options of the connection string",
        key.child
    );
    let reason = Reason::new(ReasonKind::ForeignKeysOff, text);
    match fix {
        Some(fix) => reason.with_fix(Fix::Sql(fix)),
        None => reason,
    }
}
