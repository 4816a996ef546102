//! A backlog in the order in which the table stores its rows: by index each session costs a page that is read and written again,
//! and in this order each page is read and written once.

use super::context::StoreContext;
use crate::db::{BoundedConnection, TransactionMode};
use pgmedic_core::{QueryError, Timeouts, fill_sql};
use sqlx::Row;

/// With fewer sessions that are over, the oldest are ended first.
const LEAST_BACKLOG: u64 = 20_000;

/// A batch reads no more pages than this.
const MOST_PAGES: u32 = 4096;

/// The pages, or blocks, of a table whose sessions the next batch ends: from `first` on, `count` of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pages {
    pub first: u32,
    pub count: u32,
    /// The largest table had so many when the sweep began. What is added or moved behind them is left to the next sweep.
    all: u32,
}

/// Where a sweep by pages is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PagePosition {
    /// Of the store's rules by which sessions end, the one by which it went, counted from 0.
    pub rule: usize,
    pub page: u32,
}

impl Pages {
    pub fn of(all: u32) -> Self {
        Self { first: 0, count: 1, all }
    }

    /// The same from `page` on, or from the first one where the table has no such page any more.
    pub fn starting_at(self, page: u32) -> Self {
        Self { first: if page < self.all { page } else { 0 }, ..self }
    }

    /// The page after the last of them.
    pub fn end(self) -> u32 {
        self.first.saturating_add(self.count)
    }

    /// Those of the next batch, after one that found so many sessions of those it wanted; none where they were the last ones.
    pub fn after(self, found: u64, wanted: u32) -> Option<Self> {
        if found >= u64::from(wanted) {
            // Some may be left on them.
            return Some(self.fewer());
        }
        // As many as hold nine tenths of the sessions that are wanted, as a page more may hold too many.
        let aim = u64::from(self.count) * u64::from(wanted) * 9 / 10 / found.max(1);
        let most = self.count.saturating_mul(2).min(MOST_PAGES);
        let count = u32::try_from(aim).unwrap_or(most).clamp(1, most);
        Some(Self { first: self.end(), count, ..self }).filter(|next| next.first < next.all)
    }

    /// Half of them.
    pub fn fewer(self) -> Self {
        Self { count: (self.count / 2).max(1), ..self }
    }

    /// The first of them.
    pub fn one(self) -> Self {
        Self { count: 1, ..self }
    }
}

/// The pages of the table, where at least as many sessions are over as it has pages, so that they are ended in its order.
///
/// # Errors
///
/// Why the table's size could not be read.
pub async fn pages_of_backlog(
    connection: &mut BoundedConnection,
    context: &StoreContext<'_>,
    expired: u64,
    timeouts: Timeouts,
) -> Result<Option<Pages>, QueryError> {
    if expired < LEAST_BACKLOG || !context.resolved.effects.chains.is_empty() {
        return Ok(None);
    }
    let query = fill_sql(include_str!("pages.sql"), &[("OIDS", context.resolved.oid_array())]);
    let rows = connection.run_transaction("pages", TransactionMode::Read, timeouts, [query]).await.into_rows()?;
    let Some(row) = rows.first() else { return Ok(None) };
    let (all, of_largest): (Option<i64>, Option<i64>) = (row.try_get("pages")?, row.try_get("of_largest")?);
    match (all, of_largest) {
        (Some(all), Some(of_largest)) if all.unsigned_abs() <= expired => {
            Ok(u32::try_from(of_largest).ok().map(Pages::of))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_page_is_read_until_fewer_sessions_are_found_than_were_wanted() {
        let first = Pages::of(10);
        assert_eq!((first.first, first.end()), (0, 1));
        let more = first.after(30, 100).unwrap();
        assert_eq!((more.first, more.count), (1, 2), "few were found: twice the pages");
        let same = more.after(90, 100).unwrap();
        assert_eq!((same.first, same.count), (3, 2));
        let fewer = same.after(99, 100).unwrap();
        assert_eq!((fewer.first, fewer.count), (5, 1), "one more page might hold too many");
        let again = same.after(100, 100).unwrap();
        assert_eq!((again.first, again.count), (3, 1), "all that were wanted: the same pages, fewer of them");
        assert_eq!(again.after(100, 100).map(|pages| pages.first), Some(3));
        assert_eq!(Pages { first: 8, count: 2, all: 10 }.after(99, 100), None, "the last ones");
        assert_eq!(Pages { first: 8, count: 2, all: 10 }.after(100, 100).map(|pages| pages.first), Some(8));
    }

    #[test]
    fn a_sweep_goes_on_where_the_last_one_stopped_unless_the_table_ends_before() {
        assert_eq!(Pages::of(10).starting_at(9).first, 9);
        assert_eq!(Pages::of(10).starting_at(10).first, 0);
    }

    #[test]
    fn a_batch_reads_a_bounded_number_of_pages() {
        let mut pages = Pages::of(u32::MAX);
        for _ in 0..40 {
            pages = pages.after(0, 100).unwrap();
        }
        assert_eq!(pages.count, MOST_PAGES);
        assert_eq!(Pages { first: u32::MAX, count: 2, all: u32::MAX }.after(0, 1), None);
    }
}
