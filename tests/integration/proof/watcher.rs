//! Looks at every sequence and every session, on a connection of its own that goes through nothing; and is the saboteur
//! itself, so that it knows exactly which moves back are its own.

use super::chance::Chance;
use super::history::{Deletion, Event, History, Key, Moment, Moved, Session, Stand};
use super::place::Place;
use super::tables::{KEEPER, TABLES, Table};
use sqlx::postgres::{PgConnection, PgRow};
use sqlx::{AssertSqlSafe, Connection, Error, Row};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{sleep, timeout};

const PAUSE: Duration = Duration::from_millis(25);

/// A server that is killed answers no more, and nobody says so.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

const BOUNDS: &str = "SET statement_timeout = '2s'; SET lock_timeout = '500ms'";

/// What is asked of the saboteur: one sabotage, and whether anything came of it.
pub type Order = oneshot::Sender<bool>;

/// The last look at the sequences.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// When it was asked for; none before the first.
    pub at: Option<Moment>,
    pub behind: Vec<&'static str>,
}

pub struct Watcher {
    history: History,
    place: Arc<Place>,
    chance: Chance,
    orders: mpsc::Receiver<Order>,
    seen: watch::Sender<Seen>,
    /// Deletions that were noted already.
    noted: HashSet<i64>,
}

/// In one statement, and so of one moment.
///
/// The numbers of deletions are not in the order of their commits: so many are read again each time.
const SESSIONS: &str = "
    SELECT 'clock', micros(clock_timestamp()), 0::bigint, 0::bigint, 0::bigint, 0::bigint, false
    UNION ALL SELECT 'there', 0, session_id, micros(created_at), micros(expires_at), 0, false FROM user_sessions
    UNION ALL SELECT 'deleted', no, id, micros(created), micros(expires), micros(at), role = $1 FROM deletions
              WHERE no > (SELECT coalesce(max(no), 0) - 1000 FROM deletions)";

impl Watcher {
    pub fn new(place: &Arc<Place>, chance: Chance, orders: mpsc::Receiver<Order>, seen: watch::Sender<Seen>) -> Self {
        let history = place.history.clone();
        Self { history, place: Arc::clone(place), chance, orders, seen, noted: HashSet::new() }
    }

    /// Goes on until nobody wants to know.
    pub async fn keep(mut self) {
        let mut connection = None;
        while !self.place.is_over() {
            if connection.is_none() {
                connection = connect(&self.place.direct()).await;
            }
            if let Some(open) = &mut connection {
                let looked = timeout(ANSWERS_WITHIN, self.look(open)).await;
                let alive = match looked {
                    Ok(Ok(())) => true,
                    // Its own limits: it waits for a lock.
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
                // Whoever asked may have given up.
                let _ = order.send(done);
            }
            sleep(PAUSE).await;
        }
    }

    async fn look(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let from = self.history.now();
        let looks: Vec<String> = TABLES.iter().map(|table| format!("({})", table.look())).collect();
        let row = sqlx::query(AssertSqlSafe(looks.join(" UNION ALL "))).fetch_all(&mut *connection).await?;
        let stand = |row: &PgRow| Ok(Stand { next: row.try_get(0)?, behind: row.try_get(1)?, file: row.try_get(2)? });
        let stands: Result<Vec<Stand>, Error> = row.iter().map(stand).collect();
        let stands: Vec<_> = TABLES.iter().map(|table| table.sequence).zip(stands?).collect();
        let behind = stands.iter().filter(|(_, stand)| stand.behind).map(|(sequence, _)| *sequence).collect();
        self.history.note(from, Event::Sequences(stands));
        self.seen.send_replace(Seen { at: Some(from), behind });
        self.look_at_sessions(connection).await
    }

    async fn look_at_sessions(&mut self, connection: &mut PgConnection) -> Result<(), Error> {
        let from = self.history.now();
        let rows = sqlx::query(SESSIONS).bind(KEEPER).fetch_all(connection).await?;
        let (mut clock, mut there, mut deleted) = (0, Vec::new(), Vec::new());
        for row in &rows {
            let number = row.try_get(1)?;
            let key = Key { id: row.try_get(2)?, created: row.try_get(3)? };
            let session = Session { key, expires: row.try_get(4)? };
            match row.try_get(0)? {
                "clock" => clock = number,
                "there" => there.push(session),
                _ if self.noted.insert(number) => {
                    deleted.push(Deletion { session, at: row.try_get(5)?, by_agent: row.try_get(6)? });
                }
                _ => {}
            }
        }
        self.history.note(from, Event::Sessions { clock, there, deleted });
        Ok(())
    }

    /// Makes a sequence fall behind, in a session that is over when this returns: the server's statistics know of it.
    /// Whether anything came of it, or may have.
    async fn sabotage(&mut self, watching: &mut PgConnection) -> bool {
        let table = &TABLES[self.chance.below(TABLES.len())];
        // What repairs itself meets it soon; what does not would need longer than two passes to burn so many values.
        let (least, most) = if table.repairs { (1, 40) } else { (50, 2000) };
        let by = i64::try_from(least + self.chance.below(most)).expect("small");
        // Beyond what an advance may hand out.
        let far = if self.chance.one_in(8) { 100_000 } else { 0 };
        let rewinds = self.chance.one_in(2);
        let Some(mut connection) = connect(&self.place.direct()).await else { return false };
        let from = self.history.now();
        let done = timeout(ANSWERS_WITHIN, act(&mut connection, table, rewinds, by, far)).await;
        let moved = match done {
            // Nothing came of it.
            Ok(Err(Error::Database(_))) => return false,
            Ok(Ok((pid, moved))) => {
                let _ = connection.close().await;
                until_gone(watching, pid).await;
                moved
            }
            Ok(Err(_)) | Err(_) => Moved::Unknown,
        };
        self.history.note(from, Event::Sabotage { sequence: table.sequence, moved });
        true
    }
}

/// The process that did it, and what became of the sequence.
async fn act(
    connection: &mut PgConnection,
    table: &Table,
    rewinds: bool,
    by: i64,
    far: i64,
) -> Result<(i32, Moved), Error> {
    let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await?;
    if rewinds {
        let next = sqlx::query_scalar(AssertSqlSafe(table.rewind(by))).fetch_one(connection).await?;
        Ok((pid, Moved::To(next)))
    } else {
        sqlx::query(AssertSqlSafe(table.put_ahead(by + far))).execute(connection).await?;
        Ok((pid, Moved::Not))
    }
}

async fn connect(url: &str) -> Option<PgConnection> {
    let mut connection = timeout(ANSWERS_WITHIN, PgConnection::connect(url)).await.ok()?.ok()?;
    let bounded = timeout(ANSWERS_WITHIN, sqlx::raw_sql(BOUNDS).execute(&mut connection)).await;
    matches!(bounded, Ok(Ok(_))).then_some(connection)
}

/// A session tells the statistics what it did when it ends, at the latest.
async fn until_gone(connection: &mut PgConnection, pid: i32) {
    let query = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)";
    loop {
        let gone = timeout(ANSWERS_WITHIN, sqlx::query_scalar(query).bind(pid).fetch_one(&mut *connection)).await;
        // A server that does not answer has other troubles.
        if !matches!(gone, Ok(Ok(false))) {
            return;
        }
        sleep(Duration::from_millis(2)).await;
    }
}
