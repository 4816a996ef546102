//! The SQL functions `pgmedic.repair` for applications in any language, as a script for `psql`. Part of the binary, not of
//! the library's API.

mod follow;

pub use follow::{FollowedColumns, follow, unfollow};

use crate::keys_of_column::keys_of_column;
use pgmedic_core::quote_literal;
use pgmedic_core::sequence::feed_row::trusted_owner_sql;
use std::fmt::Write;

/// The parts of the script, in order.
const INSTALL: &[&str] = &[
    include_str!("install/schema.sql"),
    include_str!("install/repair_log.sql"),
    include_str!("install/sequences.sql"),
    include_str!("install/untrusted.sql"),
    include_str!("install/feeds.sql"),
    include_str!("install/block.sql"),
    include_str!("install/leap.sql"),
    include_str!("install/wait.sql"),
    include_str!("install/repair.sql"),
    include_str!("install/repair_constraint.sql"),
    include_str!("install/end.sql"),
];
const LINKS: &str = include_str!("install/links.sql");
const BASE_TYPE: &str = include_str!("base_type.sql");
/// What the application's role may call.
const FUNCTIONS: &str = "pgmedic.repair(regclass, name), pgmedic.repair(text, text, text)";
const UNINSTALL: &str = include_str!("uninstall.sql");

/// The script that creates schema `pgmedic` with the functions `pgmedic.repair(table, column)` and
/// `pgmedic.repair(schema, table, constraint)`. Running it again changes nothing.
///
/// `owner` is the role that will own the schema, by default the role that runs the script. The `granted` roles may call
/// the functions. The role `agent` may read, insert and delete entries of `pgmedic.repair_log`, and mark them as counted.
#[must_use]
pub fn install(owner: Option<&str>, granted: &[String], agent: Option<&str>) -> String {
    let set_role = owner.map(|owner| format!("SET LOCAL ROLE {};\n", quote_literal(owner))).unwrap_or_default();
    let owner = owner.map_or("NULL".to_owned(), quote_literal);
    let mut grants = String::new();
    for role in granted {
        // Writing to a String cannot fail.
        let _ = writeln!(grants, "{}", grant(&format!("EXECUTE ON FUNCTION {FUNCTIONS}"), role));
    }
    if granted.is_empty() {
        // Writing to a String cannot fail.
        let _ = writeln!(
            grants,
            "-- Then let the application call it:\n-- GRANT USAGE ON SCHEMA pgmedic TO app;\n-- GRANT EXECUTE ON FUNCTION \
             {FUNCTIONS} TO app;"
        );
    }
    if let Some(agent) = agent {
        grants += &grant("SELECT, INSERT, DELETE, UPDATE (counted) ON TABLE pgmedic.repair_log", agent);
        grants.push('\n');
    }
    // Names come last: a name may contain a placeholder.
    let script = INSTALL
        .join("\n")
        .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
        .replace("@TRUSTED_OWNER@", &trusted_owner_sql())
        .replace("@BASE_TYPE@", BASE_TYPE.trim_end())
        .replace("@KEYS@", &keys_of_column("$1", "$2"))
        .replace("@LINKS@", LINKS.trim_end());
    render_template(&script, &[("@OWNER@", &owner), ("@SET_ROLE@\n", &set_role), ("@GRANTS@\n", &grants)])
}

/// The script that removes what [`install`] created, and nothing else.
#[must_use]
pub fn uninstall() -> String {
    UNINSTALL.to_owned()
}

/// Replaces the placeholders, which must be given in the order of the template. Replacements are not searched.
fn render_template(template: &str, replacements: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    for (placeholder, text) in replacements {
        if let Some((before, after)) = rest.split_once(placeholder) {
            filled += before;
            filled += text;
            rest = after;
        }
    }
    filled + rest
}

/// Grants `privilege` and the use of the schema. The server quotes the role's name.
fn grant(privilege: &str, role: &str) -> String {
    let body = format!(
        "BEGIN EXECUTE format('GRANT USAGE ON SCHEMA pgmedic TO %I', {role}); \
         EXECUTE format('GRANT {privilege} TO %I', {role}); END",
        role = quote_literal(role)
    );
    format!("DO {};", quote_literal(&body))
}

#[cfg(test)]
mod tests {
    use crate::sql_function::*;

    #[test]
    fn every_placeholder_is_replaced_and_a_name_is_not_taken_for_one() {
        let plain = install(None, &[], None);
        assert!(!plain.contains('@') && plain.contains("COALESCE(NULL, current_user)"), "{plain}");
        let named = install(Some("@GRANTS@\n'; --"), &["app\\".to_owned()], None);
        assert!(named.contains("SET LOCAL ROLE '@GRANTS@\n''; --';"), "{named}");
        assert!(named.contains("DO E'BEGIN"), "{named}");
    }
}
