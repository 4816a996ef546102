//! The same repair for every other language, as a script for `psql`: a schema with one function.

use pgmedic_core::quote_literal;
use std::fmt::Write;

const INSTALL: &str = include_str!("install.sql");
const UNINSTALL: &str = include_str!("uninstall.sql");

/// A script that makes schema `pgmedic` with `pgmedic.repair(table, column)`; running it again changes nothing.
///
/// `owner` is whose it will be, by default whoever runs it; the `granted` roles may call the function, and `agent` may
/// read, add and delete events.
#[must_use]
pub fn install(owner: Option<&str>, granted: &[String], agent: Option<&str>) -> String {
    let set_role = owner.map(|owner| format!("SET LOCAL ROLE {};\n", quote_literal(owner))).unwrap_or_default();
    let owner = owner.map_or("NULL".to_owned(), quote_literal);
    let mut grants = String::new();
    for role in granted {
        // Writing to a String cannot fail.
        let _ = writeln!(grants, "{}", grant("EXECUTE ON FUNCTION pgmedic.repair(regclass, name)", role));
    }
    if granted.is_empty() {
        grants += "-- Then let the application call it:\n-- GRANT USAGE ON SCHEMA pgmedic TO app;\n-- GRANT EXECUTE \
                   ON FUNCTION pgmedic.repair(regclass, name) TO app;\n";
    }
    if let Some(agent) = agent {
        grants += &grant("SELECT, INSERT, DELETE ON TABLE pgmedic.repair_log", agent);
        grants.push('\n');
    }
    // The names come last: they may hold anything.
    let script = INSTALL.replace("@VERSION@", env!("CARGO_PKG_VERSION"));
    render_template(&script, &[("@OWNER@", &owner), ("@SET_ROLE@\n", &set_role), ("@GRANTS@\n", &grants)])
}

/// A script that removes what [`install`] made, and nothing else.
#[must_use]
pub fn uninstall() -> String {
    UNINSTALL.to_owned()
}

/// Puts each text in its place, in the order of the places; no text is looked into for a place.
fn render_template(script: &str, texts: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(script.len());
    let mut rest = script;
    for (place, text) in texts {
        if let Some((before, after)) = rest.split_once(place) {
            filled += before;
            filled += text;
            rest = after;
        }
    }
    filled + rest
}

/// The server quotes the role's name.
fn grant(what: &str, role: &str) -> String {
    let body = format!(
        "BEGIN EXECUTE format('GRANT USAGE ON SCHEMA pgmedic TO %I', {role}); \
         EXECUTE format('GRANT {what} TO %I', {role}); END",
        role = quote_literal(role)
    );
    format!("DO {};", quote_literal(&body))
}

#[cfg(test)]
mod tests {
    use crate::sql_function::*;

    #[test]
    fn every_place_is_filled_and_no_name_is_taken_for_one() {
        let plain = install(None, &[], None);
        assert!(!plain.contains('@') && plain.contains("COALESCE(NULL, current_user)"), "{plain}");
        let named = install(Some("@GRANTS@\n'; --"), &["app\\".to_owned()], None);
        assert!(named.contains("SET LOCAL ROLE '@GRANTS@\n''; --';"), "{named}");
        assert!(named.contains("DO E'BEGIN"), "{named}");
    }
}
