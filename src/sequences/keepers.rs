//! The owners whose doings a read of a sequence and its columns is exposed to, and what keeps them from bending it.
//!
//! Planning a read may run functions of a table's owner, and whoever owns a table or schema may put something else in its
//! place between two statements. So what is exposed to different owners is read in different transactions, which are
//! rolled back; and where code would gain rights by it, the relations are held and looked at again first.

use super::catalog::Sequence;
use super::probe::Probe;
use crate::db::{Access, Bounds, Failure, Session, quote_literal};
use sqlx::Row;
use std::collections::{BTreeSet, HashSet};

/// Roles by OID: owners of a sequence, of what it feeds, of their partitions and children, and of their schemas, but for
/// superusers and ourselves.
pub type Keepers = BTreeSet<u32>;

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
pub async fn trusted(session: &mut Session, bounds: Bounds) -> Result<HashSet<u32>, Failure> {
    let script = session.script("trusted", Access::Read, bounds, [TRUSTED]).await;
    if let Some(failure) = script.failure {
        return Err(failure);
    }
    script.answers.iter().flatten().map(|row| parse(&row.try_get::<i64, _>(0)?.to_string())).collect()
}

/// Reads the catalog query's list of OIDs.
pub fn read(list: &str) -> Result<Keepers, Failure> {
    list.split_whitespace().map(parse).collect()
}

fn parse(oid: &str) -> Result<u32, Failure> {
    oid.parse().map_err(|_| Failure::Answer(format!("{oid:?} is no OID")))
}

/// What precedes the reading of these in its transaction: nothing, unless it runs as a superuser, whose rights are
/// worth taking, and is exposed to somebody.
pub fn superusers_guard(session: &Session, sequences: &[&Sequence], probes: &[&Probe<'_>]) -> Vec<String> {
    let exposed = probes.iter().any(|probe| !sequences[probe.sequence].keepers.is_empty());
    if !exposed || !session.server().superuser {
        return Vec::new();
    }
    let parts = probes.iter().flat_map(|probe| &probe.parts);
    let tables: Vec<(String, &str, u32)> =
        parts.map(|part| (format!("{}{}", part.only(), part.table()), part.table(), part.oid())).collect();
    let names = probes.iter().map(|probe| sequences[probe.sequence]).map(|sequence| (&*sequence.name, sequence.oid));
    guard(
        &tables.iter().map(|(held, ..)| held.as_str()).collect::<Vec<_>>(),
        tables.iter().map(|(_, name, oid)| (*name, *oid)).chain(names),
    )
}

/// Takes hold of these tables, and divides by zero unless every name stands for its OID and no reading runs anybody's
/// functions.
pub fn guard<'a>(held: &[&str], named: impl Iterator<Item = (&'a str, u32)>) -> Vec<String> {
    let (names, oids): (Vec<String>, Vec<String>) =
        named.map(|(name, oid)| (quote_literal(name), oid.to_string())).unzip();
    let tripwire = include_str!("tripwire.sql")
        .replace("@RELATIONS@", &format!("'{{{}}}'", oids.join(",")))
        .replace("@NAMES@", &format!("ARRAY[{}]", names.join(", ")));
    let lock = (!held.is_empty()).then(|| format!("LOCK TABLE {} IN ACCESS SHARE MODE", held.join(", ")));
    lock.into_iter().chain([tripwire]).collect()
}
