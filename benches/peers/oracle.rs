//! Judges a sequence after a tool ran, by inserts and by its state before. It uses no knowledge of how a tool works.

use super::Result;
use super::cases::{Aim, Case, Feed};
use sqlx::postgres::{PgConnection, PgDatabaseError};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::fmt;

/// Number of inserts into each table by each session.
const INSERTS: usize = 3;

/// A case as it is played in one database.
pub struct Scene<'a> {
    case: &'a Case,
    url: String,
    /// A session that connected before the drift. With CACHE above 1 it holds values in memory.
    holder: PgConnection,
    before: State,
}

/// A sequence's state, with its parameters.
#[derive(Clone, Copy, PartialEq, Eq)]
struct State {
    last: i64,
    is_called: bool,
    increment: i64,
}

impl State {
    fn next(self) -> i128 {
        i128::from(self.last) + if self.is_called { i128::from(self.increment) } else { 0 }
    }
}

/// The result of a tool's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// All inserts succeed and the sequence was not moved back; or, with no id left, the tool reported that.
    Well,
    /// Inserts fail, and the sequence is unchanged.
    NotSeen,
    /// The sequence will hand out values again.
    MovedBack { from: i128, to: i128 },
    /// The sequence hands out another node's values.
    OffsetLost { id: i64 },
    /// The sequence was moved and an insert still fails: SQLSTATE, message, and which session ran it.
    Fails { code: String, message: String, session: &'static str },
    /// No id is left, and the tool reported no error.
    NotReported,
    /// The sequence was moved, although it should stay as it is.
    Moved { from: i128, to: i128 },
}

impl Verdict {
    pub fn is_well(&self) -> bool {
        *self == Self::Well
    }

    /// The result as a cell of a table.
    pub fn short(&self) -> String {
        match self {
            Self::Well => "yes".to_owned(),
            Self::NotSeen => "not seen".to_owned(),
            Self::MovedBack { .. } => "moved back".to_owned(),
            Self::OffsetLost { .. } => "offset lost".to_owned(),
            Self::Fails { code, .. } => format!("still {code}"),
            Self::NotReported => "not reported".to_owned(),
            Self::Moved { .. } => "moved".to_owned(),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Well => out.write_str("yes"),
            Self::NotSeen => out.write_str("unchanged"),
            Self::MovedBack { from, to } => write!(out, "moved back, from next value {from} to {to}"),
            Self::OffsetLost { id } => write!(out, "hands out another node's id {id}"),
            Self::Fails { code, message, session } => write!(out, "{session} fails with {code}: {message}"),
            Self::NotReported => out.write_str("no error reported"),
            Self::Moved { from, to } => write!(out, "moved, from next value {from} to {to}"),
        }
    }
}

impl<'a> Scene<'a> {
    /// Plays the case up to the moment before a tool runs, in a database that holds its `setup`.
    pub async fn play(case: &'a Case, url: String) -> Result<Self> {
        let mut holder = PgConnection::connect(&url).await?;
        run(&mut holder, case.held).await?;
        let mut other = PgConnection::connect(&url).await?;
        run(&mut other, case.drift).await?;
        let before = state(&mut other, case).await?;
        other.close().await?;
        Ok(Self { case, url, holder, before })
    }

    /// Judges the result of the tool. `reported_error` says whether the tool reported one.
    pub async fn judge(mut self, reported_error: bool) -> Result<Verdict> {
        let mut fresh = PgConnection::connect(&self.url).await?;
        let after = state(&mut fresh, self.case).await?;
        let (from, to) = (self.before.next(), after.next());
        let direction = i128::from(after.increment.signum());
        let inserted = insert_all(self.case.feeds, &mut fresh, &mut self.holder).await?;
        let class = |id: i128| id.rem_euclid(i128::from(after.increment.unsigned_abs()));
        fresh.close().await?;
        self.holder.close().await?;

        if (to - from) * direction < 0 {
            return Ok(Verdict::MovedBack { from, to });
        }
        if self.case.aim == Aim::Reported {
            return Ok(if reported_error { Verdict::Well } else { Verdict::NotReported });
        }
        if self.case.aim == Aim::LeftAlone && after != self.before {
            return Ok(Verdict::Moved { from, to });
        }
        Ok(match inserted {
            Inserted::Refused(_) if after == self.before => Verdict::NotSeen,
            Inserted::Refused(refusal) => refusal,
            // The application makes its ids itself.
            Inserted::Ids(_) if self.case.aim == Aim::LeftAlone => Verdict::Well,
            Inserted::Ids(ids) => match ids.iter().find(|id| class(i128::from(**id)) != class(from)) {
                Some(id) => Verdict::OffsetLost { id: *id },
                None => Verdict::Well,
            },
        })
    }
}

enum Inserted {
    Ids(Vec<i64>),
    /// The first insert that failed.
    Refused(Verdict),
}

async fn insert_all(feeds: &[Feed], fresh: &mut PgConnection, holder: &mut PgConnection) -> Result<Inserted> {
    let (mut ids, mut refused) = (Vec::new(), None);
    for _ in 0..INSERTS {
        for Feed { table, column, inserted } in feeds {
            let (table, column) = (quoted(table), quoted(column));
            let values = inserted.map_or("DEFAULT VALUES".to_owned(), |id| format!("({column}) VALUES ({id})"));
            let insert = format!("INSERT INTO {table} {values} RETURNING {column}::int8");
            for (session, connection) in [("a new session", &mut *fresh), ("the older session", &mut *holder)] {
                match sqlx::query_scalar(AssertSqlSafe(insert.clone())).fetch_one(connection).await {
                    Ok(id) => ids.push(id),
                    Err(sqlx::Error::Database(error)) => {
                        let error = error.downcast::<PgDatabaseError>();
                        let (code, message) = (error.code().to_owned(), error.message().to_owned());
                        refused.get_or_insert(Verdict::Fails { code, message, session });
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
    }
    Ok(refused.map_or(Inserted::Ids(ids), Inserted::Refused))
}

async fn state(connection: &mut PgConnection, case: &Case) -> Result<State> {
    let query = format!(
        "SELECT s.last_value, s.is_called, p.seqincrement FROM {0} AS s, pg_sequence AS p WHERE p.seqrelid = $1::regclass",
        case.sequence
    );
    let row = sqlx::query(AssertSqlSafe(query)).bind(case.sequence).fetch_one(connection).await?;
    Ok(State { last: row.try_get(0)?, is_called: row.try_get(1)?, increment: row.try_get(2)? })
}

async fn run(connection: &mut PgConnection, statements: &'static str) -> Result<()> {
    sqlx::raw_sql(statements).execute(connection).await?;
    Ok(())
}

/// A name, quoted for SQL.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
