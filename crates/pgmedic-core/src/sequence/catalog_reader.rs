//! From the rows of a catalog query to sequences with the columns that they feed.

use super::feed_row::{link_facts, sequence};
use super::link_rules::{LinkFacts, Stated, settle};
use super::model::Sequence;
use super::position::Parameters;
use super::row_fields::{oid, text, untrusted_owners};
use crate::{QueryError, Reason, ReasonKind};
use sqlx::postgres::PgRow;
use sqlx::{Column, Row, TypeInfo, ValueRef};
use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

/// Collects the rows of a catalog query. The rows of one sequence are adjacent.
#[derive(Debug)]
pub struct CatalogReader<'a> {
    /// The connected role, quoted.
    role: &'a str,
    /// What the places in the query's arrays stand for.
    stated: &'a [Stated],
    sequences: Vec<Sequence>,
    /// Of most sequences they are the same, so each is kept once.
    owners: HashSet<Arc<str>>,
    parameters: HashSet<Arc<Parameters>>,
    /// The links of the last sequence.
    links: Vec<LinkFacts>,
}

impl<'a> CatalogReader<'a> {
    pub fn new(role: &'a str, stated: &'a [Stated]) -> Self {
        Self {
            role,
            stated,
            sequences: Vec::new(),
            owners: HashSet::new(),
            parameters: HashSet::new(),
            links: Vec::new(),
        }
    }

    /// Adds one row, a sequence with one of its links.
    ///
    /// # Errors
    ///
    /// When the row does not hold what it should.
    pub fn push(&mut self, row: &PgRow) -> Result<(), QueryError> {
        let oid = oid(row, "seq_oid")?;
        if self.sequences.last().is_none_or(|last| last.oid != oid) {
            self.settle_last();
            let mut next = sequence(row, oid, self.role)?;
            next.owner = kept_once(&mut self.owners, next.owner);
            next.parameters = kept_once(&mut self.parameters, next.parameters);
            self.sequences.push(next);
        }
        let Some(sequence) = self.sequences.last_mut() else { return Ok(()) };
        if let Some(reason) = undecodable_name(row)? {
            sequence.rare.problem = Some(reason);
            return Ok(());
        }
        let untrusted = untrusted_owners(&text(row, "owners")?)?;
        if !untrusted.is_empty() {
            sequence.rare.untrusted_owners.extend(untrusted);
        }
        self.links.extend(link_facts(sequence, row, self.role)?);
        Ok(())
    }

    /// All sequences, in the order of their rows.
    pub fn finish(mut self) -> Vec<Sequence> {
        self.settle_last();
        self.sequences
    }

    fn settle_last(&mut self) {
        let links = std::mem::take(&mut self.links);
        if let Some(sequence) = self.sequences.last_mut().filter(|sequence| sequence.has_readable_names()) {
            settle(sequence, links, self.stated);
            sequence.shrink_to_fit();
        }
    }
}

/// The equal one of `known`, to which it is added otherwise.
fn kept_once<T: Eq + Hash + ?Sized>(known: &mut HashSet<Arc<T>>, value: Arc<T>) -> Arc<T> {
    if let Some(equal) = known.get(&value) {
        return Arc::clone(equal);
    }
    known.insert(Arc::clone(&value));
    value
}

/// That a name is no UTF-8, if so. Databases of encoding `SQL_ASCII` take any bytes.
fn undecodable_name(row: &PgRow) -> Result<Option<Reason>, QueryError> {
    for column in row.columns() {
        let value = row.try_get_raw(column.ordinal())?;
        if value.is_null() || column.type_info().name() != "TEXT" {
            continue;
        }
        let bytes = value.as_bytes().map_err(|error| QueryError::UnexpectedResponse(error.to_string()))?;
        if std::str::from_utf8(bytes).is_err() {
            let name = String::from_utf8_lossy(bytes);
            let text = format!("the name {name} is not UTF-8, so no statement can name it; rename it");
            return Ok(Some(Reason::new(ReasonKind::NameEncoding, text)));
        }
    }
    Ok(None)
}
