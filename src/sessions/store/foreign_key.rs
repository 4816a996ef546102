//! A foreign key that the deletion of a session reaches: what it does to other rows, and which action would do no harm.

use pgmedic_core::{Fix, Reason, ReasonKind};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// A foreign key that a deletion reaches. Names are quoted by the server.
#[derive(Debug)]
pub struct ForeignKey {
    pub child: String,
    pub parent: String,
    /// How far the parent is from the sessions: 0 it is their table, 1 its rows refer to a session, 2 it is further away.
    pub steps: i32,
    pub is_partitioned: bool,
    /// The child is the table of the sessions.
    pub leads_back: bool,
    /// Sessions refer to the child.
    pub is_parent_of_store: bool,
    pub name: String,
    pub columns: String,
    /// None of them may be NULL.
    pub are_required: bool,
    /// Those that ON DELETE SET NULL may clear without a loss; none where there are none.
    pub clearable: Option<String>,
    /// Its action sets a column to NULL that cannot be NULL there.
    pub cannot_clear: bool,
    /// The columns with a default, where its action sets them to it.
    pub defaults: Option<String>,
    /// Over the row `r` of the child and the row `t` of the parent: the one refers to the other.
    pub refers: String,
    /// The columns that this reads.
    pub read_columns: String,
    /// As `pg_constraint.confdeltype`.
    pub on_delete: String,
    pub is_referenced: bool,
    pub disabled_fix: Option<String>,
    pub is_not_enforced: bool,
    pub is_indexed: bool,
    pub definition: String,
    pub deferrability: String,
    pub is_validated: bool,
}

impl ForeignKey {
    /// `row` is of `effects.sql`.
    pub fn read(row: &PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            child: row.try_get("child")?,
            parent: row.try_get("parent")?,
            steps: row.try_get("steps")?,
            is_partitioned: row.try_get("is_partitioned")?,
            leads_back: row.try_get("leads_back")?,
            is_parent_of_store: row.try_get("is_parent_of_store")?,
            name: row.try_get("name")?,
            columns: row.try_get("columns")?,
            are_required: row.try_get("are_required")?,
            clearable: row.try_get("clearable")?,
            cannot_clear: row.try_get("cannot_clear")?,
            defaults: row.try_get("defaults")?,
            refers: row.try_get("refers")?,
            read_columns: row.try_get("read_columns")?,
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

    pub fn title(&self) -> String {
        let Self { name, child, columns, parent, .. } = self;
        format!("the foreign key {name} of {child} ({columns}), which refers to {parent},")
    }

    /// Deleting a session would delete sessions that are not over.
    pub fn ring_reason(&self) -> Reason {
        let fix = self.set_null().map(|(_, fix)| fix);
        let way = match fix {
            Some(_) => "ON DELETE SET NULL keeps them",
            None => "without CASCADE they keep those that they refer to, until they are over themselves",
        };
        let text = format!(
            "{} is ON DELETE CASCADE and leads back to the sessions, so ending one would end live ones too: {way}",
            self.title()
        );
        Reason { fix, ..Reason::new(ReasonKind::ForeignKeyRing, text) }
    }

    /// Why the rows of the child are not deleted without an approval.
    /// `is_other_store` says that the child is the table of another configured store.
    pub fn hold(&self, is_other_store: bool) -> Option<Reason> {
        let Self { child, .. } = self;
        let why = if is_other_store {
            format!("{child} is another configured store, whose sessions may be live")
        } else if self.is_parent_of_store {
            format!("sessions refer to {child}")
        } else if is_table_of_people(child) {
            format!("{child} is no part of a session by its name")
        } else if self.steps > 0 {
            format!("{child} refers to no session itself")
        } else if !self.are_required && self.is_referenced {
            format!("rows of {child} exist without a session, and other tables refer to them")
        } else if !self.are_required && points_at_last(&self.columns) {
            format!("rows of {child} only name their last session")
        } else {
            return None;
        };
        let text = format!(
            "{} is ON DELETE CASCADE, so rows of {child} would be deleted with the sessions: {why}",
            self.title()
        );
        Some(Reason::new(ReasonKind::TakesAlong, text))
    }

    /// Why a session with rows in the child cannot be deleted. The fix keeps those rows where a column may be NULL, and
    /// deletes them only where they are a part of the session.
    pub fn stop_warning(&self) -> Reason {
        let Self { child, columns, .. } = self;
        let clears = if self.cannot_clear {
            ", whose ON DELETE SET NULL is refused, because they cannot be NULL there"
        } else {
            ""
        };
        let whose = if self.leads_back {
            format!(
                "{child} refers to itself by {columns}{clears}, and a session that another one refers to cannot be deleted"
            )
        } else if self.steps == 0 {
            format!(
                "{child} refers to the sessions by {columns}{clears}, and a session with rows there cannot be deleted"
            )
        } else {
            let parent = &self.parent;
            format!("{child} refers to {parent} by {columns}{clears}, and a session with rows there cannot be deleted")
        };
        let is_more = self.leads_back
            || self.is_parent_of_store
            || self.is_referenced
            || self.steps > 0
            || is_table_of_people(child);
        if let Some((cleared, fix)) = self.set_null() {
            let text = format!("{whose}; the fix keeps those rows, and sets {cleared} to NULL");
            Reason::new(ReasonKind::ForeignKey, text).with_fix(fix)
        } else if is_more || !self.are_required {
            let text = format!(
                "{whose}; {columns} cannot be set to NULL alone, and ON DELETE CASCADE would delete more than a session: let the \
                 application remove those rows, or end sessions by `revoke`"
            );
            Reason::new(ReasonKind::ForeignKey, text)
        } else {
            let text =
                format!("{whose}; the fix deletes the rows of {child} that refer to an ended session, and no others");
            Reason::new(ReasonKind::ForeignKey, text).with_fix(self.replaced_by("CASCADE"))
        }
    }

    /// The columns that ON DELETE SET NULL would clear, and the statement that makes it the action; none where nothing can
    /// be cleared.
    fn set_null(&self) -> Option<(&str, Fix)> {
        let cleared = self.clearable.as_deref()?;
        let action = if cleared == self.columns { "SET NULL".to_owned() } else { format!("SET NULL ({cleared})") };
        Some((cleared, self.replaced_by(&action)))
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

/// Whether the columns, as their names say, hold the last or the present session of a row that had others before.
fn points_at_last(columns: &str) -> bool {
    let columns = columns.to_lowercase();
    ["last", "latest", "current", "active"].iter().any(|word| columns.contains(word))
}

/// Whether the table holds people or what belongs to them, by its name: `table` is schema-qualified and quoted.
pub fn is_table_of_people(table: &str) -> bool {
    const NAMES: [&str; 34] = [
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
        "payment",
        "invoice",
        "purchase",
        "sale",
        "subscription",
        "booking",
        "profile",
        "message",
        "post",
        "document",
        "client",
        "reservation",
        "contact",
        "cart",
        "comment",
        "ticket",
        "kunden",
        "benutzer",
        "utilisateur",
        "usuario",
        "cliente",
    ];
    let name = table.rsplit('.').next().unwrap_or(table).trim_matches('"').to_lowercase();
    // A version or a year says nothing.
    let name = name.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches("_v").trim_end_matches('_');
    let last = name.rsplit('_').next().unwrap_or(name);
    let singular = last
        .strip_suffix("ies")
        .map(|stem| format!("{stem}y"))
        .unwrap_or_else(|| last.trim_end_matches('s').to_owned());
    NAMES.contains(&singular.as_str()) || NAMES.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::is_table_of_people;

    #[test]
    fn a_table_of_people_is_known_by_the_last_word_of_its_name() {
        for people in ["public.users", "public.\"User\"", "app.auth_user", "public.companies", "public.orders_2026"] {
            assert!(is_table_of_people(people), "{people}");
        }
        for other in
            ["public.user_sessions", "public.client_fingerprints", "public.accounts_usersession", "public.logs"]
        {
            assert!(!is_table_of_people(other), "{other}");
        }
    }
}
