//! Whether anything was done in a database since it was last visited, by the server's statistics. Pure arithmetic.
//!
//! The statistics count each transaction and each row that changes, also those of pgmedic's visits and of autovacuum. The
//! visits' transactions are known and subtracted. Autovacuum is told from clients by the time in which clients ran
//! statements, from PostgreSQL 14 on.

/// What the server has counted in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    /// Transactions, committed or not.
    pub transactions: i64,
    /// Rows that were inserted, updated and deleted, those of the catalog included.
    pub rows: i64,
    /// Microseconds in which clients ran statements; none where the server does not count it.
    pub active: Option<i64>,
}

/// What was known of a database before its last visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Baseline {
    activity: Activity,
    /// Transactions of this agent, of those that the server has counted or will count soon.
    own: u64,
}

impl Baseline {
    /// Before a visit. `own` are this agent's transactions so far.
    pub fn new(activity: Activity, own: u64) -> Self {
        Self { activity, own }
    }

    /// Whether nothing was done but by this agent and by autovacuum.
    pub fn is_unchanged(&mut self, now: Activity, own: u64) -> bool {
        let before = self.activity;
        // Counters that were reset do not compare.
        if now.rows != before.rows || now.transactions < before.transactions {
            return false;
        }
        let by_all = now.transactions.abs_diff(before.transactions);
        let own_since = own.saturating_sub(self.own);
        if by_all < own_since {
            // The end of a visit is counted a moment later.
            return true;
        }
        let by_autovacuum = now.active.is_some() && now.active == before.active;
        if by_all > own_since && !by_autovacuum {
            return false;
        }
        // All of it is known. From here on, only what comes after counts.
        *self = Self { activity: now, own };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: Activity = Activity { transactions: 100, rows: 50, active: Some(9000) };

    fn baseline() -> Baseline {
        Baseline::new(BEFORE, 10)
    }

    #[test]
    fn own_transactions_are_no_change_and_one_more_is() {
        let after = Activity { transactions: 107, active: Some(9900), ..BEFORE };
        assert!(baseline().is_unchanged(after, 17));
        assert!(!baseline().is_unchanged(after, 16));
        // The end of a visit is counted late.
        assert!(baseline().is_unchanged(Activity { transactions: 103, ..after }, 17));
    }

    #[test]
    fn a_changed_row_is_a_change_also_by_this_agent() {
        assert!(!baseline().is_unchanged(Activity { rows: 51, ..BEFORE }, 99));
    }

    #[test]
    fn what_no_client_did_was_autovacuum() {
        let mut baseline = baseline();
        let vacuumed = Activity { transactions: 104, ..BEFORE };
        assert!(baseline.is_unchanged(vacuumed, 10));
        // Its transactions do not count for the next comparison, nor does the time of a visit.
        let visited = Activity { transactions: 107, active: Some(9500), ..BEFORE };
        assert!(baseline.is_unchanged(visited, 13));
        assert!(baseline.is_unchanged(Activity { transactions: 109, ..visited }, 13), "autovacuum again");
        assert!(!baseline.is_unchanged(Activity { transactions: 110, active: Some(9600), ..BEFORE }, 13));
    }

    #[test]
    fn a_server_that_does_not_count_the_time_of_clients_has_every_transaction_looked_at() {
        let before = Activity { active: None, ..BEFORE };
        let mut baseline = Baseline::new(before, 10);
        assert!(baseline.is_unchanged(Activity { transactions: 101, ..before }, 11));
        assert!(!baseline.is_unchanged(Activity { transactions: 102, ..before }, 11));
    }

    #[test]
    fn counters_that_were_reset_tell_nothing() {
        assert!(!baseline().is_unchanged(Activity { transactions: 3, ..BEFORE }, 10));
    }
}
