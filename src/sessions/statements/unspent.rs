//! The statements that count rows to be deleted whose ids a sequence has yet to hand out.

use super::conditions::not_revoked;
use super::sweep_sql::SweepSql;
use crate::sessions::store::{GeneratedId, IdRows, OtherRows};
use pgmedic_core::fill_sql;

impl SweepSql<'_> {
    /// How many rows of another table that are deleted with the sessions have an id that its sequence has yet to hand out,
    /// up to `most`.
    pub fn count_unspent_of_others(&self, id: &GeneratedId, rows: &OtherRows, most: u64) -> String {
        // Of live sessions, those may be deleted that their users have too many of.
        let may_go = match self.store.per_user {
            Some(_) => "true".to_owned(),
            None => self.is_over(&self.times.cutoff),
        };
        let (store, only) = (self.store.from(), not_revoked(self.store));
        let is_deleted = match &rows.join {
            Some(join) => format!("EXISTS (SELECT FROM {store} AS t WHERE ({join}) AND {may_go} AND {only})"),
            None => "true".to_owned(),
        };
        let values = [
            ("FURTHEST", id.furthest_is_spent(&rows.table)),
            ("TABLE", rows.table.clone()),
            ("IS_SPENT", id.is_spent("c")),
            ("IS_DELETED", is_deleted),
            ("MOST", most.to_string()),
        ];
        fill_sql(include_str!("count_unspent_others.sql"), &values)
    }

    /// How many of the sessions that are over have an id that its sequence has yet to hand out, up to `most`; none where
    /// no sequence feeds the table.
    pub fn count_unspent(&self, most: u64) -> Option<String> {
        let is_spent = self.is_spent()?;
        let values = [
            ("TABLE", self.store.from()),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("IS_SPENT", is_spent),
            ("MOST", most.to_string()),
        ];
        Some(fill_sql(include_str!("count_unspent.sql"), &values))
    }

    /// How many of the sessions that are over have a text in the column of `id` that its sequence has yet to make.
    pub fn count_unspent_texts(&self, id: &GeneratedId) -> String {
        let values = [
            ("FURTHEST", id.furthest("t")),
            ("TABLE", self.store.from()),
            ("IS_OVER", self.is_over(&self.times.cutoff)),
            ("NOT_REVOKED", not_revoked(self.store)),
            ("IS_SPENT", id.is_spent("t")),
        ];
        fill_sql(include_str!("count_unspent_texts.sql"), &values)
    }

    pub(super) fn is_spent(&self) -> Option<String> {
        let own = self.store.ids.iter().filter(|id| id.rows == IdRows::Sessions);
        let all: Vec<String> = own.map(|id| id.is_spent("t")).collect();
        (!all.is_empty()).then(|| all.join(" AND "))
    }
}
