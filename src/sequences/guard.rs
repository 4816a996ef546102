//! SQL that keeps a read from running the functions of other owners, and from reading another table by the same name.

use crate::db::ServerInfo;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::probe::{Probe, same_relation_sql};
use pgmedic_core::{fill_sql, quote_literal};

/// The statement that locks the tables of `probes` before they are read in one transaction, so that they are not renamed,
/// dropped or rewritten until it ends, and no index, statistics or constraint is added. Rows may be written meanwhile.
///
/// A replica takes no such lock: there they are not added by a session that could wait for it.
pub fn lock_tables_sql(probes: &[&Probe<'_>], server: &ServerInfo) -> Option<String> {
    let mode = if server.is_replica { "ACCESS SHARE" } else { "SHARE UPDATE EXCLUSIVE" };
    let parts = probes.iter().flat_map(|probe| &probe.parts);
    let tables: Vec<String> = parts.map(|part| format!("{}{}", part.only_keyword(), part.table())).collect();
    (!tables.is_empty()).then(|| format!("LOCK TABLE {} IN {mode} MODE", tables.join(", ")))
}

/// The query for a table of `probe`, or a part of it, that VACUUM or ANALYZE works on: they take the same lock.
pub fn vacuumed_sql(probe: &Probe<'_>) -> String {
    let oids: Vec<String> = probe.parts.iter().map(|part| part.oid().to_string()).collect();
    fill_sql(include_str!("vacuumed.sql"), &[("TABLES", &oids.join(","))])
}

/// The statement right before each read by a superuser, which fails if the read would run another owner's function. It is
/// repeated for each read: the owner of a table read earlier can slow that down, and change a later table meanwhile.
pub fn guard_sql(sequence: &Sequence, probe: &Probe<'_>, alone: bool) -> String {
    let tables = probe.parts.iter().map(|part| (part.table(), part.oid()));
    let named = tables.chain([(&*sequence.name, sequence.oid)]);
    let with_children = probe.parts.iter().any(|part| part.member.is_none() && part.source.has_children);
    if alone || with_children { full_guard_sql(named) } else { leaf_guard_sql(named) }
}

/// The cheaper form of the guard for a table without children. It trusts no owner of a function, so where it fails the
/// full guard is asked.
fn leaf_guard_sql<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> String {
    let (unchanged, oids): (Vec<String>, Vec<String>) =
        named.map(|(name, oid)| (same_relation_sql(name, oid), oid.to_string())).unzip();
    let unchanged = unchanged.join(" AND ");
    fill_sql(include_str!("guard_leaf.sql"), &[("RELATIONS", &oids.join(",")), ("UNCHANGED", &unchanged)])
}

/// Divides by zero unless every name stands for its OID and no read runs a function of an untrusted owner.
pub fn full_guard_sql<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> String {
    let (names, oids): (Vec<String>, Vec<String>) =
        named.map(|(name, oid)| (quote_literal(name), oid.to_string())).unzip();
    fill_sql(include_str!("guard.sql"), &[("RELATIONS", &oids.join(",")), ("NAMES", &names.join(", "))])
}
