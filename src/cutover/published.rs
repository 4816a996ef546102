//! Whether OLD publishes everything that is to arrive: what its publications leave out never does.

use super::replication::{Subscribed, query};
use crate::db::BoundedConnection;
use pgmedic_core::name::QuotedIdent;
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, fill_sql, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;

/// What does not arrive.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// By a mistake, or by something that is not done yet.
    pub wrongly: Vec<Reason>,
    /// As it was stated, which may be meant.
    pub as_stated: Vec<Reason>,
    /// A publication is gone, and so its tables are published no longer.
    is_dropped: bool,
}

/// What the publications of OLD leave out for these subscriptions of NEW to it. `elsewhere`: others bring rows as well.
///
/// # Errors
///
/// When the publications cannot be read.
pub async fn left_out(
    old: &mut BoundedConnection,
    subscribed: &[&Subscribed],
    elsewhere: bool,
    timeouts: Timeouts,
) -> Result<LeftOut, QueryError> {
    let mut left_out = LeftOut::default();
    for one in subscribed {
        let rows = query(old, &fill_sql(include_str!("published.sql"), &places(&[one])), timeouts).await?;
        for row in &rows {
            left_out.add(&one.subscription, row)?;
        }
    }
    if !subscribed.is_empty() && !elsewhere && !left_out.is_dropped {
        let rows = query(old, &fill_sql(include_str!("unpublished.sql"), &places(subscribed)), timeouts).await?;
        for row in &rows {
            left_out.as_stated.push(unpublished(row)?);
        }
    }
    Ok(left_out)
}

impl LeftOut {
    /// Adds what a row of `published.sql` says.
    fn add(&mut self, subscription: &str, row: &PgRow) -> Result<(), QueryError> {
        let what: String = row.try_get("what")?;
        let publication: Option<String> = row.try_get("publication")?;
        let publication = publication.unwrap_or_default();
        let (number, names): (i64, Option<String>) = (row.try_get("number")?, row.try_get("names")?);
        let tables = tables(number, &names.unwrap_or_default());
        let reason = |text: String| Reason::new(ReasonKind::Replication, text);
        let refresh = Fix::Sql(format!("ALTER SUBSCRIPTION {} REFRESH PUBLICATION", QuotedIdent(subscription)));
        match what.as_str() {
            "dropped" => {
                self.is_dropped = true;
                self.wrongly.push(reason(format!(
                    "publication {publication} of OLD, to which subscription {subscription} of NEW subscribes, does not exist: \
                     no row arrives; create it again, drop the subscription, empty the tables of NEW, and subscribe again"
                )));
            }
            "lacking" => {
                let text =
                    format!("subscription {subscription} of NEW lacks {tables} that OLD publishes, whose rows do not arrive");
                self.wrongly.push(reason(text).with_fix(refresh));
            }
            "stale" if self.is_dropped => {}
            "stale" => {
                let text = format!(
                    "subscription {subscription} of NEW has {tables} that OLD publishes no longer, whose rows do not arrive: take \
                     them out of it, empty them in NEW, and publish them again"
                );
                self.wrongly.push(reason(text).with_fix(refresh));
            }
            "rows" => self.as_stated.push(reason(format!(
                "publication {publication} of OLD has a row filter for {tables}: other rows are not in NEW; publish without \
                 WHERE, and copy anew"
            ))),
            "columns" => self.as_stated.push(reason(format!(
                "publication {publication} of OLD leaves out columns of {tables}: their values are not in NEW; publish without \
                 a list of columns, and copy anew"
            ))),
            _ => {
                let detail: String = row.try_get("detail")?;
                let text = format!(
                    "publication {publication} of OLD does not publish {detail} for {tables}: such changes do not arrive, and \
                     those made so far need a new copy"
                );
                let all = "publish = 'insert, update, delete, truncate'";
                let fix = Fix::Sql(format!("ALTER PUBLICATION {} SET ({all})", QuotedIdent(&publication)));
                self.as_stated.push(reason(text).with_fix(fix));
            }
        }
        Ok(())
    }
}

/// That tables which draw from sequences do not arrive at all, and what changes that in OLD.
fn unpublished(row: &PgRow) -> Result<Reason, QueryError> {
    let names: Vec<String> = row.try_get("names")?;
    let tables = tables(i64::try_from(names.len()).unwrap_or(i64::MAX), &names[..names.len().min(3)].join(", "));
    if !row.try_get::<bool, _>("logged")? {
        let logged: Vec<String> = names.iter().map(|name| format!("ALTER TABLE {name} SET LOGGED")).collect();
        let text = format!("OLD has unlogged {tables} with a sequence: their rows are never sent");
        return Ok(Reason::new(ReasonKind::Replication, text).with_fix(Fix::Sql(logged.join("; "))));
    }
    let text = format!("NEW subscribes to no publication of {tables} with a sequence: their rows do not arrive");
    let reason = Reason::new(ReasonKind::Replication, text);
    let publication: Option<String> = row.try_get("publication")?;
    Ok(match publication {
        Some(name) => {
            let fix = format!("ALTER PUBLICATION {} ADD TABLE {}", QuotedIdent(&name), names.join(", "));
            reason.with_fix(Fix::Sql(fix))
        }
        None => reason,
    })
}

/// `4 tables (a, b, c, …)`, of which `names` are three at most.
fn tables(number: i64, names: &str) -> String {
    match number {
        1 => format!("table {names}"),
        2 | 3 => format!("{number} tables ({names})"),
        _ => format!("{number} tables ({names}, …)"),
    }
}

fn places(subscribed: &[&Subscribed]) -> [(&'static str, String); 2] {
    let array = |of: fn(&Subscribed) -> &Vec<String>| {
        let texts: Vec<String> = subscribed.iter().flat_map(|one| of(one)).map(|text| quote_literal(text)).collect();
        format!("ARRAY[{}]", texts.join(", "))
    };
    [("PUBLICATIONS", array(|one| &one.publications)), ("TABLES", array(|one| &one.tables))]
}
