//! Observes every sequence and every session, by a connection without a proxy or a pooler. It is also the saboteur, so
//! that the history has each sabotage in order with the observations.

use super::chance::Chance;
use super::history::{Deletion, Event, History, Key, Moment, Moved, SequenceState, Session};
use super::shared::Shared;
use super::tables::{AGENT_ROLE, DISTANCE, TABLES, Table};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Error, Row};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

const PAUSE: Duration = Duration::from_millis(25);

/// The time limit for a response. A killed server sends none.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(5);

const TIMEOUTS: &str = "SET statement_timeout = '2s'; SET lock_timeout = '500ms'";

/// A request for one sabotage. The response is false if it had no effect.
pub type Order = oneshot::Sender<bool>;

/// The last observation of the sequences.
#[derive(Debug, Clone, Default)]
pub struct Observation {
    /// When it began. `None` before the first one.
    pub at: Option<Moment>,
    pub behind: Vec<&'static str>,
}

pub struct Watcher {
    history: History,
    shared: Arc<Shared>,
    chance: Chance,
    orders: mpsc::Receiver<Order>,
    seen: watch::Sender<Observation>,
    /// The deletions that are in the history already, by their numbers. A server that was promoted without the last ones gives
    /// their numbers again.
    noted: HashSet<(i64, Key)>,
}

/// All sessions and deletions by one statement, and so at one moment.
///
/// The numbers of deletions are not in the order of their commits, so the last 1000 are read again each time.
const SESSIONS: &str = "
    SELECT 'clock', micros(clock_timestamp()), 0::bigint, 0::bigint, 0::bigint, 0::bigint, false
    UNION ALL SELECT 'there', 0, session_id, micros(created_at), micros(expires_at), 0, false FROM user_sessions
    UNION ALL SELECT 'deleted', no, id, micros(created), micros(expires), micros(at), role = $1 FROM deletions
              WHERE no > (SELECT coalesce(max(no), 0) - 1000 FROM deletions)";

impl Watcher {
    pub fn new(
        shared: &Arc<Shared>,
        chance: Chance,
        orders: mpsc::Receiver<Order>,
        seen: watch::Sender<Observation>,
    ) -> Self {
        let history = shared.history.clone();
        Self { history, shared: Arc::clone(shared), chance, orders, seen, noted: HashSet::new() }
    }

    /// Observes, and makes the requested sabotage, until the run ends.
    pub async fn run(mut self) {
        let mut connection = None;
        while !self.shared.is_over() {
            if connection.is_none() {
                connection = connect(&self.shared.direct()).await;
            }
            if let Some(open) = &mut connection {
                let looked = timeout(RESPONSE_TIMEOUT, self.look(open)).await;
                let alive = match looked {
                    Ok(Ok(())) => true,
                    // A time-out of this connection, which waited for a lock.
                    Ok(Err(Error::Database(error))) => matches!(error.code().as_deref(), Some("55P03" | "57014")),
                    _ => false,
                };
                if !alive {
                    connection = None;
                }
            }
            if let Ok(order) = self.orders.try_recv() {
                let done = match &mut connection {
                    Some(open) => self.sabotage(open).await,
                    None => false,
                };
                // The director may have ended.
                let _ = order.send(done);
            }
            sleep(PAUSE).await;
        }
    }

    async fn look(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let from = self.history.now();
        let looks: Vec<String> = TABLES.iter().map(|table| format!("({})", table.look())).collect();
        let row = sqlx::query(AssertSqlSafe(looks.join(" UNION ALL "))).fetch_all(&mut *connection).await?;
        let state =
            |row: &PgRow| Ok(SequenceState { next: row.try_get(0)?, behind: row.try_get(1)?, file: row.try_get(2)? });
        let states: Result<Vec<SequenceState>, Error> = row.iter().map(state).collect();
        let states: Vec<_> = TABLES.iter().map(|table| table.sequence).zip(states?).collect();
        let behind = states.iter().filter(|(_, state)| state.behind).map(|(sequence, _)| *sequence).collect();
        self.history.note(from, Event::Sequences(states));
        self.seen.send_replace(Observation { at: Some(from), behind });
        self.look_at_sessions(connection).await
    }

    async fn look_at_sessions(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let from = self.history.now();
        let rows = sqlx::query(SESSIONS).bind(AGENT_ROLE).fetch_all(connection).await?;
        let (mut clock, mut there, mut deleted) = (0, Vec::new(), Vec::new());
        for row in &rows {
            let number = row.try_get(1)?;
            let key = Key { id: row.try_get(2)?, created: row.try_get(3)? };
            let session = Session { key, expires: row.try_get(4)? };
            match row.try_get(0)? {
                "clock" => clock = number,
                "there" => there.push(session),
                _ if self.noted.insert((number, key)) => {
                    deleted.push(Deletion { session, at: row.try_get(5)?, by_agent: row.try_get(6)? });
                }
                _ => {}
            }
        }
        self.history.note(from, Event::Sessions { clock, there, deleted });
        Ok(())
    }

    /// Makes a sequence fall behind. The session has ended when this returns, so that the server's statistics contain
    /// its work. Returns false if it certainly had no effect.
    async fn sabotage(&mut self, watching: &mut PgConnection) -> bool {
        let table = &TABLES[self.chance.below(TABLES.len())];
        // A table with inline repair meets the drift soon. Without it, using up this many values takes longer than two
        // passes. What lies 1 000 values ahead or more is held as far away.
        let (least, most) = if table.repairs { (1, 40) } else { (50, 900) };
        let by = i64::try_from(least + self.chance.below(most)).expect("small");
        let ids = if self.chance.one_in(8) { IDS_PAST_AN_ADVANCE } else { 1 };
        let rewinds = self.chance.one_in(2);
        let Some(mut connection) = connect(&self.shared.direct()).await else { return false };
        let from = self.history.now();
        let done = timeout(RESPONSE_TIMEOUT, act(&mut connection, table, rewinds, by, ids)).await;
        let moved = match done {
            // It had no effect.
            Ok(Err(Error::Database(_))) => return false,
            Ok(Ok((pid, moved))) => {
                let _ = connection.close().await;
                wait_until_gone(watching, pid).await;
                moved
            }
            Ok(Err(_)) | Err(_) => Moved::Unknown,
        };
        self.history.note(from, Event::Sabotage { sequence: table.sequence, moved });
        true
    }
}

/// So many ids reach further than an advance may go (100 000 values), and lie close enough together to be one block.
const IDS_PAST_AN_ADVANCE: i64 = 100_000 / DISTANCE + 2;

/// Makes the sabotage. Returns the server process that ran it, and the effect on the sequence.
async fn act(
    connection: &mut PgConnection,
    table: &Table,
    rewinds: bool,
    by: i64,
    ids: i64,
) -> Result<(i32, Moved), Error> {
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await?;
    if rewinds {
        let next = sqlx::query_scalar(AssertSqlSafe(table.rewind(by))).fetch_one(connection).await?;
        Ok((pid, Moved::To(next)))
    } else {
        sqlx::query(AssertSqlSafe(table.put_ahead(by, ids))).execute(connection).await?;
        Ok((pid, Moved::Not))
    }
}

async fn connect(url: &str) -> Option<PgConnection> {
    let mut connection = timeout(RESPONSE_TIMEOUT, PgConnection::connect(url)).await.ok()?.ok()?;
    let bounded = timeout(RESPONSE_TIMEOUT, sqlx::raw_sql(TIMEOUTS).execute(&mut connection)).await;
    matches!(bounded, Ok(Ok(_))).then_some(connection)
}

/// A session reports its statistics when it ends, at the latest.
async fn wait_until_gone(connection: &mut PgConnection, pid: i32) {
    let query = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
    loop {
        let gone = timeout(RESPONSE_TIMEOUT, sqlx::query_scalar(query).bind(pid).fetch_one(&mut *connection)).await;
        // A server that does not respond is under a fault.
        if !matches!(gone, Ok(Ok(false))) {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
}
