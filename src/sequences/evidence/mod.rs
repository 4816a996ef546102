//! Who was behind a drift, as far as the server tells. Asked when a drift is first seen, and at no other time.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | asks in two parts: sessions before the repair, as they go on; statistics after it, as they stay |
//! | `drifted.rs` | the sequences whose drift is new |
//! | `clues.rs` | what was told of each sequence, merged, the most telling first |
//! | `relations.sql`, `names.sql` | the names by which a statement concerns a sequence |
//! | `server.sql` | what this role may see |
//! | `sessions.sql`, `applied.sql`, `statements.sql` | the last statements of sessions, running subscriptions, statistics of statements |

mod clues;
mod drifted;

pub use drifted::new_drifts;

use crate::db::{BoundedConnection, TransactionMode};
use crate::report::{Cause, Evidence, EvidenceSource};
use clues::{Clue, Clues};
use drifted::Drifted;
use pgmedic_core::evidence::{StatementKind, TargetIndex, TargetSequence, TargetTable, acts};
use pgmedic_core::{Fix, QueryError, Reason, ReasonKind, Timeouts, fill_sql, quote_literal};
use sqlx::Row;
use sqlx::postgres::PgRow;
use std::collections::HashMap;
use std::time::Instant;

/// More names than these are not sent: the server would look for each of them in each of its texts.
const MOST_NAMES: usize = 100;

/// What has been told up to now.
#[derive(Debug)]
pub struct Inquiry<'a> {
    drifted: Vec<Drifted<'a>>,
    targets: Vec<TargetSequence>,
    clues: Vec<Clues>,
    /// The function of `pg_stat_statements`, quoted.
    statements: Option<String>,
    reason: Option<Reason>,
}

impl<'a> Inquiry<'a> {
    /// Asks what sessions and subscriptions do. An error ends the questions, and is the reason why no more is known.
    pub async fn begin(connection: &mut BoundedConnection, drifted: Vec<Drifted<'a>>, timeouts: Timeouts) -> Self {
        let clues = vec![Clues::default(); drifted.len()];
        let mut inquiry = Self { drifted, targets: Vec::new(), clues, statements: None, reason: None };
        if !inquiry.drifted.is_empty()
            && let Err(error) = inquiry.ask_sessions(connection, timeouts).await
        {
            inquiry.failed(&error);
        }
        inquiry
    }

    /// Asks what `pg_stat_statements` tells, and returns the evidence of each sequence, in their order.
    pub async fn finish(mut self, connection: &mut BoundedConnection, timeouts: Timeouts) -> Vec<Evidence> {
        if self.statements.is_some()
            && let Err(error) = self.ask_statements(connection, timeouts).await
        {
            self.failed(&error);
        }
        let Self { drifted, clues, reason, .. } = self;
        drifted.iter().zip(clues).map(|(drifted, clues)| clues.evidence(drifted.cause, reason.clone())).collect()
    }

    fn failed(&mut self, error: &QueryError) {
        tracing::debug!(%error, "who was behind a drift could not be asked");
        // The extension is there, and its library is not loaded.
        let not_loaded = matches!(error, QueryError::Server { code, .. } if code == "55000");
        self.reason.get_or_insert_with(|| match not_loaded {
            true => no_statistics_reason(),
            false => Reason::from(error).while_doing("asking who was behind the drift failed"),
        });
    }

    async fn ask_sessions(&mut self, connection: &mut BoundedConnection, timeouts: Timeouts) -> Result<(), QueryError> {
        let relations = self.read_targets(connection, timeouts).await?;
        let questions = [
            fill_sql::<&str>(include_str!("server.sql"), &[]),
            fill_sql::<&str>(include_str!("sessions.sql"), &[]),
            fill_sql::<&str>(include_str!("applied.sql"), &[]),
        ];
        let answers = answers(connection, timeouts, questions).await?;
        let [server, sessions, applied] = answers.as_slice() else {
            return Err(QueryError::UnexpectedResponse(format!("{} answers instead of three", answers.len())));
        };
        let server = server.first().ok_or_else(|| QueryError::UnexpectedResponse("none".to_owned()))?;
        self.statements = server.try_get("statements")?;
        self.reason = if server.try_get("sees_all")? {
            self.statements.is_none().then(no_statistics_reason)
        } else {
            Some(hidden_reason(&connection.server().role))
        };
        // A text that is not UTF-8 is no statement that is known.
        sessions.iter().filter_map(Session::read).for_each(|session| self.add_session(&session));
        for row in applied {
            let Some(clue) = subscription(row) else { continue };
            for &sequence in relations.get(&row.try_get::<i64, _>("rel")?).into_iter().flatten() {
                self.clues[sequence].add(clue.clone());
            }
        }
        Ok(())
    }

    /// Fills `targets`; returns which sequences have a table, by its OID.
    async fn read_targets(
        &mut self,
        connection: &mut BoundedConnection,
        timeouts: Timeouts,
    ) -> Result<HashMap<i64, Vec<usize>>, QueryError> {
        let mut parameters: [Vec<String>; 5] = Default::default();
        for Drifted { sequence, .. } in &self.drifted {
            for source in sequence.sources() {
                parameters[0].push(sequence.oid.to_string());
                parameters[1].push(source.table_oid.to_string());
                parameters[2].push(source.column().to_owned());
            }
        }
        let places: HashMap<i64, usize> =
            self.drifted.iter().enumerate().map(|(place, drifted)| (drifted.sequence.oid.into(), place)).collect();
        let of_sequence = |Drifted { sequence, .. }: &Drifted<'_>| {
            let (schema, name) = sequence.name_parts();
            TargetSequence { schema, name, ..TargetSequence::default() }
        };
        self.targets = self.drifted.iter().map(of_sequence).collect();
        let oids: Vec<String> = self.drifted.iter().map(|drifted| drifted.sequence.oid.to_string()).collect();
        let names = fill_sql(include_str!("names.sql"), &[("SEQUENCES", oids.join(","))]);
        for row in answers(connection, timeouts, [names]).await?.iter().flatten() {
            if let Some(&place) = places.get(&row.try_get(0)?) {
                self.targets[place].only_one = row.try_get(1)?;
            }
        }
        let (targets, mut relations) = (&mut self.targets, HashMap::<i64, Vec<usize>>::new());
        let each = |row: PgRow| {
            let Some(&place) = places.get(&row.try_get(0)?) else { return Ok(()) };
            relations.entry(row.try_get(1)?).or_default().push(place);
            targets[place].tables.push(TargetTable {
                schema: row.try_get(2)?,
                name: row.try_get(3)?,
                only_one: row.try_get(4)?,
                column: row.try_get(5)?,
                place: usize::try_from(row.try_get::<i64, _>(6)?).unwrap_or(0),
                certain: row.try_get(7)?,
            });
            Ok(())
        };
        let relations_sql = fill_sql::<&str>(include_str!("relations.sql"), &[]);
        connection.query("evidence", timeouts, &relations_sql, parameters, each).await?;
        Ok(relations)
    }

    fn add_session(&mut self, session: &Session) {
        let index = TargetIndex::new(&self.targets);
        for concern in acts(&session.query, session.cut).iter().flat_map(|act| index.concerned(act)) {
            let drifted = &self.drifted[concern.sequence];
            // Now, after the answer: so it is never too short.
            let is_older = |looked: Instant| session.age.is_some_and(|age| age > looked.elapsed().as_secs_f64());
            if drifted.cause != Cause::Unknown && drifted.looked.is_some_and(is_older) {
                continue;
            }
            let kind = if session.application.as_deref() == Some("pg_restore") {
                StatementKind::Restore
            } else {
                concern.kind
            };
            self.clues[concern.sequence].add(Clue {
                kind,
                certain: concern.certain,
                role: session.role.clone(),
                application: session.application.clone(),
                client_address: Some(session.address.clone()),
                calls: None,
                source: EvidenceSource::PgStatActivity,
            });
        }
    }

    async fn ask_statements(
        &mut self,
        connection: &mut BoundedConnection,
        timeouts: Timeouts,
    ) -> Result<(), QueryError> {
        let names = quote_literal(&self.searched_names());
        let function = self.statements.clone().unwrap_or_default();
        let question = fill_sql(include_str!("statements.sql"), &[("FUNCTION", function), ("NAMES", names)]);
        let answers = answers(connection, timeouts, [question]).await?;
        let index = TargetIndex::new(&self.targets);
        for row in answers.iter().flatten() {
            let (Ok(role), Ok(query), cut) =
                (row.try_get::<String, _>("role"), row.try_get::<String, _>("query"), row.try_get("cut")?)
            else {
                continue;
            };
            let calls = row.try_get::<i64, _>("calls")?.unsigned_abs();
            for concern in acts(&query, cut).iter().flat_map(|act| index.concerned(act)) {
                self.clues[concern.sequence].add(Clue {
                    kind: concern.kind,
                    certain: concern.certain,
                    role: role.clone(),
                    application: None,
                    client_address: None,
                    calls: Some(calls),
                    source: EvidenceSource::PgStatStatements,
                });
            }
        }
        Ok(())
    }

    /// The names of the tables, one a line; none where they are too many, or a text may write one of them otherwise.
    fn searched_names(&self) -> String {
        let names: Vec<&str> =
            self.targets.iter().flat_map(|target| &target.tables).map(|table| table.name.as_str()).collect();
        let plain = |name: &&str| name.chars().all(|c| c.is_ascii() && !c.is_ascii_control() && c != '"');
        let all_plain = names.iter().all(plain) && names.len() <= MOST_NAMES;
        if all_plain { names.join("\n").to_ascii_lowercase() } else { String::new() }
    }
}

/// A session and its last statement.
struct Session {
    role: String,
    application: Option<String>,
    address: String,
    age: Option<f64>,
    query: String,
    cut: bool,
}

impl Session {
    fn read(row: &PgRow) -> Option<Self> {
        let application: Option<String> = row.try_get("application").ok()?;
        Some(Self {
            role: row.try_get("role").ok()?,
            application: application.filter(|name| !name.is_empty()),
            address: row.try_get("address").ok()?,
            age: row.try_get("age").ok()?,
            query: row.try_get("query").ok()?,
            cut: row.try_get("cut").ok()?,
        })
    }
}

fn subscription(row: &PgRow) -> Option<Clue> {
    Some(Clue {
        kind: StatementKind::LogicalApply,
        certain: true,
        role: row.try_get("role").ok()?,
        application: Some(row.try_get("subscription").ok()?),
        client_address: None,
        calls: None,
        source: EvidenceSource::PgStatSubscription,
    })
}

/// Without the right, a role sees its own statements alone.
fn hidden_reason(role: &str) -> Reason {
    let text =
        format!("role {role} sees no statement of other roles, so who was behind the drift is told in part at most");
    let fix = Fix::Sql(format!("GRANT pg_read_all_stats TO {role}"));
    Reason::new(ReasonKind::MissingPrivilege, text).with_fix(fix)
}

fn no_statistics_reason() -> Reason {
    let text = "pg_stat_statements is not loaded, or not installed in this database, so only the last statement of a session \
                that is still connected is seen";
    Reason::new(ReasonKind::NoStatistics, text)
}

async fn answers(
    connection: &mut BoundedConnection,
    timeouts: Timeouts,
    questions: impl IntoIterator<Item = String>,
) -> Result<Vec<Vec<PgRow>>, QueryError> {
    connection.run_transaction("evidence", TransactionMode::Read, timeouts, questions).await.into_answers()
}
