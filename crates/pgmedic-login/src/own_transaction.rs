//! A transaction that is rolled back when it is dropped, also while it begins.
//!
//! sqlx's own `Transaction` is not: dropped between sending `BEGIN` and reading the answer, it leaves an open transaction on
//! the connection, and with it in the pool. Nor can it begin or end together with other statements in one message. So sqlx
//! does not know of this one, and nothing else may begin or end one on the connection meanwhile.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgRow, Postgres};
use sqlx::{Database, Error, SqlSafeStr, SqlStr};
use sqlx_core::transaction::TransactionManager;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::task::{Context, Waker};

type Manager = <Postgres as Database>::TransactionManager;

/// An open transaction, and the connection that it is on.
#[derive(Debug)]
pub(crate) struct OwnTransaction<'c> {
    connection: Held<'c>,
    open: bool,
}

#[derive(Debug)]
pub(crate) enum Held<'c> {
    Pool(PoolConnection<Postgres>),
    Borrowed(&'c mut PgConnection),
}

impl<'c> OwnTransaction<'c> {
    /// A transaction that the next message begins. The connection must be outside one.
    pub(crate) const fn new(connection: Held<'c>) -> Self {
        Self { connection, open: true }
    }

    /// Begins a transaction by these statements.
    pub(crate) async fn begin(connection: Held<'c>, statements: impl SqlSafeStr) -> Result<Self, Error> {
        let mut transaction = Self::new(connection);
        sqlx::raw_sql(statements).execute(&mut *transaction).await?;
        Ok(transaction)
    }

    /// Ends the transaction by these statements, of which the last one is `COMMIT`. Returns their rows.
    pub(crate) async fn commit_by(mut self, statements: impl SqlSafeStr) -> Result<Vec<PgRow>, Error> {
        let rows = sqlx::raw_sql(statements).fetch_all(&mut *self).await?;
        self.open = false;
        Ok(rows)
    }

    pub(crate) async fn commit(self) -> Result<(), Error> {
        self.commit_by("COMMIT").await.map(drop)
    }

    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        sqlx::raw_sql("ROLLBACK").execute(&mut *self).await?;
        self.open = false;
        Ok(())
    }

    /// Leaves the transaction to the caller, who began it.
    pub(crate) fn keep(mut self) {
        self.open = false;
    }
}

impl Deref for OwnTransaction<'_> {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        match &self.connection {
            Held::Pool(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl DerefMut for OwnTransaction<'_> {
    fn deref_mut(&mut self) -> &mut PgConnection {
        match &mut self.connection {
            Held::Pool(connection) => connection,
            Held::Borrowed(connection) => connection,
        }
    }
}

impl Drop for OwnTransaction<'_> {
    /// Queues a `ROLLBACK`, which goes out before the connection's next statement.
    fn drop(&mut self) {
        if !self.open {
            return;
        }
        if Manager::get_transaction_depth(self) > 0 {
            Manager::start_rollback(self);
        } else {
            // The first thing that sqlx does here is to queue the statement; waiting for the answer is left to the connection's
            // next user.
            let rollback = Manager::begin(self, Some(SqlStr::from_static("ROLLBACK")));
            let _ = pin!(rollback).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
