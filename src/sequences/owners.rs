//! The owners whose doings a read of a sequence and its columns is exposed to, and what keeps them from bending it.
//!
//! Planning a read may run functions of a table's owner, and whoever owns a table or schema may put something else in its
//! place between two statements. So what is exposed to different owners is read in different transactions, which are
//! rolled back; and where code would gain rights by it, the tables are held and each is looked at again right before.

use super::catalog::Sequence;
use super::probe::Probe;
use crate::db::{BoundedConnection, QueryError, Timeouts, TransactionMode, quote_literal};
use sqlx::Row;
use std::collections::{BTreeSet, HashSet};

/// Roles by OID: owners of a sequence, of what it feeds, of their partitions and children, and of their schemas, but for
/// superusers and ourselves.
pub type UntrustedOwners = BTreeSet<u32>;

/// Superusers and ourselves; `pg_database_owner` (OID 6171, from 14 on) where it stands for one of them.
const TRUSTED: &str = "\
    SELECT oid::bigint FROM pg_roles WHERE rolsuper OR rolname = current_user \
    UNION ALL \
    SELECT 6171 FROM pg_database d JOIN pg_roles o ON o.oid = d.datdba \
    WHERE d.datname = current_database() AND (o.rolsuper OR o.rolname = current_user)";

/// The roles that are trusted with our rights.
///
/// # Errors
///
/// The failure.
pub async fn trusted_roles(session: &mut BoundedConnection, bounds: Timeouts) -> Result<HashSet<u32>, QueryError> {
    let script = session.run_transaction("trusted", TransactionMode::Read, bounds, [TRUSTED]).await;
    if let Some(failure) = script.failure {
        return Err(failure);
    }
    script.answers.iter().flatten().map(|row| parse(&row.try_get::<i64, _>(0)?.to_string())).collect()
}

/// Reads the catalog query's list of OIDs.
pub fn read(list: &str) -> Result<UntrustedOwners, QueryError> {
    list.split_whitespace().map(parse).collect()
}

fn parse(oid: &str) -> Result<u32, QueryError> {
    oid.parse().map_err(|_| QueryError::UnexpectedResponse(format!("{oid:?} is no OID")))
}

/// What precedes the reading of these in their transaction: hold of their tables.
pub fn lock_tables_sql(probes: &[&Probe<'_>]) -> Option<String> {
    let parts = probes.iter().flat_map(|probe| &probe.parts);
    lock(&parts.map(|part| format!("{}{}", part.only_keyword(), part.table())).collect::<Vec<_>>())
}

/// What precedes each reading by a superuser, whose rights are worth taking. Right before it: whoever owns what is read
/// earlier in the same transaction can make that slow, and meanwhile hang something on what is read later.
pub fn guard_sql(sequence: &Sequence, probe: &Probe<'_>, alone: bool) -> String {
    let tables = probe.parts.iter().map(|part| (part.table(), part.oid()));
    let named = tables.chain([(&*sequence.name, sequence.oid)]);
    let with_children = probe.parts.iter().any(|part| part.member.is_none() && part.source.has_children);
    if alone || with_children { full_guard_sql(named) } else { leaf_guard_sql(named) }
}

/// The same question as the tripwire's for a table without children, at a fraction of its price: it takes whoever owns a
/// function for a stranger, so its no is to be asked again.
fn leaf_guard_sql<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> String {
    let (unchanged, oids): (Vec<String>, Vec<String>) =
        named.map(|(name, oid)| (same_relation_sql(name, oid), oid.to_string())).unzip();
    include_str!("guard_leaf.sql")
        .replace("@RELATIONS@", &format!("'{{{}}}'", oids.join(",")))
        .replace("@UNCHANGED@", &unchanged.join(" AND "))
}

/// Whether the name stands for the relation that was discovered, as SQL.
///
/// A function, because it must be asked when the statement runs, holding the table's lock, under which the name stays. A
/// `regclass` constant is resolved before the lock is waited for, and the table may be renamed meanwhile.
pub fn same_relation_sql(name: &str, oid: u32) -> String {
    format!("to_regclass({}) IS NOT DISTINCT FROM {oid}::regclass", quote_literal(name))
}

/// Divides by zero unless every name stands for its OID and no reading runs anybody's functions.
pub fn full_guard_sql<'a>(named: impl Iterator<Item = (&'a str, u32)>) -> String {
    let (names, oids): (Vec<String>, Vec<String>) =
        named.map(|(name, oid)| (quote_literal(name), oid.to_string())).unzip();
    include_str!("guard.sql")
        .replace("@RELATIONS@", &format!("'{{{}}}'", oids.join(",")))
        .replace("@NAMES@", &format!("ARRAY[{}]", names.join(", ")))
}

/// Keeps these tables from being renamed, dropped or rewritten until the transaction ends.
pub fn lock<S: AsRef<str>>(tables: &[S]) -> Option<String> {
    let tables: Vec<&str> = tables.iter().map(AsRef::as_ref).collect();
    (!tables.is_empty()).then(|| format!("LOCK TABLE {} IN ACCESS SHARE MODE", tables.join(", ")))
}
