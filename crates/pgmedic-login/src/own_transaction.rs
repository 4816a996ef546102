//! A transaction that is rolled back when it is dropped, also while it begins.
//!
//! sqlx's own `Transaction` is not: dropped between sending `BEGIN` and reading the answer, it leaves an open transaction on
//! the connection, and with it in the pool.

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, Postgres};
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
    /// Begins a transaction by these statements. The connection must be outside one.
    pub(crate) async fn begin(connection: Held<'c>, statements: impl SqlSafeStr) -> Result<Self, Error> {
        let mut transaction = Self { connection, open: true };
        Manager::begin(&mut transaction, Some(statements.into_sql_str())).await?;
        Ok(transaction)
    }

    /// A transaction that the next message begins, and the last one commits together with other statements: sqlx, which
    /// counts transactions, cannot do that. So nothing else may begin one on the connection meanwhile.
    pub(crate) const fn unknown_to_sqlx(connection: Held<'c>) -> Self {
        Self { connection, open: true }
    }

    /// After its last message has committed it.
    pub(crate) fn mark_committed(mut self) {
        self.open = false;
    }

    pub(crate) async fn commit(mut self) -> Result<(), Error> {
        Manager::commit(&mut self).await?;
        self.open = false;
        Ok(())
    }

    pub(crate) async fn rollback(mut self) -> Result<(), Error> {
        Manager::rollback(&mut self).await?;
        self.open = false;
        Ok(())
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
            // BEGIN may be on its way, of which sqlx knows only once it was answered, or not at all. The first thing that
            // sqlx does here is to queue the statement; waiting for the answer is left to the connection's next user.
            let rollback = Manager::begin(self, Some(SqlStr::from_static("ROLLBACK")));
            let _ = pin!(rollback).poll(&mut Context::from_waker(Waker::noop()));
        }
    }
}
