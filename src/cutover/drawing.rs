//! Columns that a sequence fills in OLD: whether the one that takes over fills them in NEW, and whether they are as wide.

use super::definitions::fed_columns;
use super::pairs::Pair;
use super::report::CarryReport;
use super::request::Request;
use super::sides::Side;
use crate::db::BoundedConnection;
use pgmedic_core::name::QuotedIdent;
use pgmedic_core::sequence::Link;
use pgmedic_core::sequence::model::{Feed, Sequence};
use pgmedic_core::sequence::position::ColumnRange;
use pgmedic_core::{ColumnName, Fix, QueryError, Reason, ReasonKind, Timeouts, quote_literal};
use sqlx::Row;
use std::collections::HashMap;

/// A column that a sequence of OLD feeds.
struct Fed<'a> {
    /// Of its pair.
    index: usize,
    in_old: ColumnName,
    in_new: ColumnName,
    feed: &'a Feed,
}

/// What feeds the columns of NEW.
type Feeds<'a> = HashMap<ColumnName, Vec<(&'a Sequence, &'a Feed)>>;

/// Adds to `reports` where NEW fills a column otherwise than OLD, or with a narrower type; `sequences` are those of NEW. A
/// column that NEW does not have is another matter.
///
/// # Errors
///
/// When a catalog cannot be read.
pub async fn compare_drawing(
    old: &mut Side,
    new: &mut Side,
    pairs: &[Pair<'_>],
    sequences: &[Sequence],
    request: &Request,
    reports: &mut [CarryReport],
) -> Result<(), Reason> {
    let fed = fed(pairs, request);
    if fed.is_empty() {
        return Ok(());
    }
    let timeouts = request.settings.bounds();
    let failed = |error: QueryError| Reason::from(error).while_doing("what fills the columns cannot be read");
    let here: Vec<&ColumnName> = fed.iter().map(|one| &one.in_old).collect();
    let there: Vec<&ColumnName> = fed.iter().map(|one| &one.in_new).collect();
    let in_old = draws(&mut old.connections, &here, timeouts).await.map_err(failed)?;
    let in_new = draws(&mut new.connections, &there, timeouts).await.map_err(failed)?;
    let mut feeds = Feeds::new();
    for sequence in sequences {
        for (column, feed) in drawn_columns(sequence) {
            feeds.entry(column).or_default().push((sequence, feed));
        }
    }
    for (nth, fed) in fed.iter().enumerate() {
        let (report, pair) = (&mut reports[fed.index], &pairs[fed.index]);
        let there = feeds.get(&fed.in_new).map(Vec::as_slice).unwrap_or_default();
        if (in_old[nth], in_new[nth]) == (Some(true), Some(false)) {
            let text = "nothing fills that column in NEW: inserts without an id fail";
            report.differ(filled_otherwise(fed, text, Some(&report.name)), request.confirmed);
        } else if (in_old[nth], in_new[nth]) == (Some(true), Some(true)) {
            compare_feeds(fed, pair, there, request.confirmed, report);
        }
        if let Some(reason) = narrower(fed, there) {
            report.differ(reason, request.confirmed);
        }
    }
    Ok(())
}

/// The columns of OLD whose sequences have one in NEW.
fn fed<'a>(pairs: &[Pair<'a>], request: &Request) -> Vec<Fed<'a>> {
    let taken_over = pairs.iter().enumerate().filter(|(_, pair)| pair.new.is_some());
    let fed = |(index, pair): (usize, &Pair<'a>)| {
        drawn_columns(pair.old).map(move |(in_old, feed)| Fed {
            index,
            in_new: request.map.column(&in_old),
            in_old,
            feed,
        })
    };
    taken_over.flat_map(fed).collect()
}

/// The columns whose links the catalog records.
fn drawn_columns(sequence: &Sequence) -> impl Iterator<Item = (ColumnName, &Feed)> {
    fed_columns(sequence).filter(|(_, feed)| feed.report.link != Link::Declared)
}

/// Says where another sequence than that of the pair feeds the column in NEW. That it is meant does not help then: nothing
/// has carried its values over.
fn compare_feeds(
    fed: &Fed<'_>,
    pair: &Pair<'_>,
    there: &[(&Sequence, &Feed)],
    confirmed: bool,
    report: &mut CarryReport,
) {
    let same = |(sequence, _): &(&Sequence, &Feed)| pair.new.is_some_and(|new| new.oid == sequence.oid);
    if there.iter().any(same) {
        return;
    }
    let Some((other, feed)) = there.first() else {
        let text = "another default fills that column in NEW, and no sequence that is known";
        return report.differ(filled_otherwise(fed, text, Some(&report.name)), confirmed);
    };
    let text = format!("{} fills that column in NEW, to which the value of OLD is not carried", other.name);
    let is_identity = feed.report.link == Link::Identity;
    let default = Some(report.name.as_str()).filter(|_| !is_identity);
    let text = if is_identity { text + ", as its identity" } else { text };
    report.add_reason(filled_otherwise(fed, &text, default));
}

/// That something else fills the column in NEW, and the statement that lets the sequence `default` fill it.
fn filled_otherwise(fed: &Fed<'_>, how: &str, default: Option<&str>) -> Reason {
    let column = &fed.in_new;
    let reason = Reason::new(ReasonKind::Definition, format!("it fills {column} in OLD, and {how}"));
    let Some(sequence) = default else { return reason };
    reason.with_fix(Fix::Sql(format!(
        "ALTER TABLE {} ALTER COLUMN {} SET DEFAULT nextval({})",
        column.table,
        QuotedIdent(&column.column),
        quote_literal(sequence)
    )))
}

/// That the column holds fewer ids in NEW than in OLD, and the statement that widens it, where one does.
fn narrower(fed: &Fed<'_>, there: &[(&Sequence, &Feed)]) -> Option<Reason> {
    let old = fed.feed.known_source()?.range;
    let source = there.iter().find_map(|(_, feed)| feed.known_source())?;
    if old.narrowest(source.range) == old {
        return None;
    }
    let column = &fed.in_new;
    let text = format!("{column} holds ids up to {} in OLD, and up to {} in NEW", old.max, source.range.max);
    if let Some(obstacle) = &source.rare.widen_obstacle {
        let text = format!("{text}, where its type cannot be changed in place: {obstacle}");
        return Some(Reason::new(ReasonKind::Definition, text));
    }
    let wide = if old.narrowest(ColumnRange::INT4) == old { "integer" } else { "bigint" };
    let fix = format!("ALTER TABLE {} ALTER COLUMN {} TYPE {wide}", column.table, QuotedIdent(&column.column));
    Some(Reason::new(ReasonKind::Definition, text).with_fix(Fix::Sql(fix)))
}

/// Whether a default or an identity fills each column; none where it does not exist.
async fn draws(
    connections: &mut [BoundedConnection],
    columns: &[&ColumnName],
    timeouts: Timeouts,
) -> Result<Vec<Option<bool>>, QueryError> {
    let mut found = vec![None; columns.len()];
    let Some(connection) = connections.first_mut() else { return Ok(found) };
    let part =
        |of: fn(&ColumnName) -> &String| columns.iter().map(|column| of(column).clone()).collect::<Vec<String>>();
    let empty = || vec![String::new(); columns.len()];
    let parameters =
        [part(|one| &one.table.schema), part(|one| &one.table.name), part(|one| &one.column), empty(), empty()];
    let sql = include_str!("drawing.sql");
    connection
        .query("drawing", timeouts, sql, parameters, |row| {
            let nth: i64 = row.try_get("nth")?;
            if let Some(place) = usize::try_from(nth - 1).ok().and_then(|nth| found.get_mut(nth)) {
                *place = Some(row.try_get("draws")?);
            }
            Ok(())
        })
        .await?;
    Ok(found)
}
