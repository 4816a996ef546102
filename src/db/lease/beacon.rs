//! The lease through a transaction-mode pooler, which gives a session to other clients, and a lock of the session with it.
//!
//! The leader takes the lock about once a second, and holds it for as long as one short statement runs. Between these it
//! uses no server connection, so that it works, and lets others work, through a pool of one. Another agent that watches for
//! longer than that sees the lock, unless the pool has a single server connection: then each agent leads. Of two leaders
//! one meets the other's lock soon, and is standby then.

use super::super::answers::ask;
use super::super::budget::Permit;
use super::LeaseLost;
use super::LeaseRequest;
use super::holders::{Holder, LOCK_NAMESPACE, free_place, holders, lock_keys};
use super::{agent_among, close};
use pgmedic_core::QueryError;
use sqlx::Row;
use sqlx::postgres::PgConnection;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// From one moment with the lock to the next, about.
const PERIOD: Duration = Duration::from_secs(1);

/// How long the lock is held each time.
const HELD_FOR: Duration = Duration::from_millis(150);

/// Shorter than the lock is held.
const LOOK_EVERY: Duration = Duration::from_millis(60);

/// The lock that shows who leads, and the connection to the pooler.
#[derive(Debug)]
pub struct Beacon {
    connection: PgConnection,
    key: i32,
    ignored: Vec<Holder>,
    /// Last, so that the connection is closed before it is counted no more.
    _permit: Permit,
}

impl Beacon {
    /// Watches for another agent's lock for longer than a period, and then takes the lock for the first time. Returns the
    /// other agent where there is one. The agent that led last watches for a shorter time than the others, so that it leads
    /// again soon after a failover.
    pub async fn raise(
        connection: PgConnection,
        permit: Permit,
        request: LeaseRequest,
        ignored: &mut Vec<Holder>,
    ) -> Result<Result<Self, Holder>, QueryError> {
        let mut beacon = Self { connection, key: request.key, ignored: ignored.clone(), _permit: permit };
        let periods = if request.led { 1.6 } else { 2.5 + fastrand::f64() };
        let until = Instant::now() + PERIOD.mul_f64(periods);
        while Instant::now() < until {
            if let Some(agent) = beacon.look().await? {
                beacon.lower().await;
                return Ok(Err(agent));
            }
            sleep(LOOK_EVERY).await;
        }
        match beacon.show().await? {
            None => {
                ignored.clone_from(&beacon.ignored);
                Ok(Ok(beacon))
            }
            Some(agent) => {
                beacon.lower().await;
                Ok(Err(agent))
            }
        }
    }

    /// Shows the lock until another agent shows it too, or the connection is lost.
    pub async fn show_until_lost(&mut self) -> LeaseLost {
        loop {
            sleep(PERIOD.mul_f64(0.8 + 0.4 * fastrand::f64())).await;
            match self.show().await {
                Ok(None) => {}
                Ok(Some(_)) => return LeaseLost("another agent took it".to_owned()),
                Err(error) => return LeaseLost(error.to_string()),
            }
        }
    }

    pub async fn lower(self) {
        close(self.connection).await;
    }

    /// Takes the lock for a moment. Returns the agent that has it.
    async fn show(&mut self) -> Result<Option<Holder>, QueryError> {
        let keys = lock_keys(self.key);
        for key in keys.iter().skip(free_place(&self.ignored).unwrap_or(keys.len())) {
            // One statement, so that no transaction is ever left open. The lock ends with it.
            let sql = format!(
                "/* pgmedic:lease */ SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
                 WHEN pg_catalog.pg_try_advisory_xact_lock({LOCK_NAMESPACE}, {key}) \
                 THEN (SELECT true FROM pg_catalog.pg_sleep({})) ELSE false END",
                HELD_FOR.as_secs_f64()
            );
            match ask(&mut self.connection, sql).await?.try_get(0)? {
                Some(true) => return Ok(None),
                Some(false) => {}
                // The pooler leads to another server than before, or to the same one after it was demoted.
                None => return Err(QueryError::ConnectionLost("the server is a replica now".to_owned())),
            }
            if let Some(agent) = self.look().await? {
                return Ok(Some(agent));
            }
        }
        // Sessions that are no agents hold all locks, or hold one for a moment.
        Ok(None)
    }

    async fn look(&mut self) -> Result<Option<Holder>, QueryError> {
        Ok(agent_among(holders(&mut self.connection, self.key).await?, &mut self.ignored))
    }
}
