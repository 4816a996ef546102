//! Who leads on the databases of one server: one lease for all of them, asked for by the worker of each.
//!
//! Databases whose connection strings name the same addresses are one server's. The lease stands in the first of them that
//! can be entered, on the connection that receives NOTIFY there.
//!
//! | file | does |
//! |---|---|
//! | `mod.rs` | asks for the lease, and answers who leads |
//! | `groups.rs` | which databases share a lease |
//! | `held.rs` | the held lease, kept by a task |
//! | `survey.rs` | asks for a server's databases, on the lease's connection where there is one |

mod groups;
mod held;
mod survey;

pub use groups::{Leads, leads};

use super::triggers::Triggers;
use crate::agent::leadership::Leadership;
use crate::config::Database;
use crate::db::{Attempt, Holder, Lead, LeaseRequest, acquire};
use crate::servers::SurveySql;
use held::HeldLease;
use pgmedic_core::{Reason, ReasonKind};
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::time::Instant;

/// Workers of one server that ask at the same time get the same answer.
const ANSWER_COUNTS_FOR: Duration = Duration::from_millis(300);

/// A database of the server, and what a notification in it starts.
#[derive(Debug)]
struct Member {
    database: Database,
    triggers: Arc<Triggers>,
}

/// The lease of one server.
#[derive(Debug)]
pub struct ServerLead {
    members: Vec<Member>,
    key: i32,
    listen: bool,
    state: Mutex<LeadState>,
    /// The primary that the last pass over each member reached, since the lease was got: one address may lead to several servers.
    reached: std::sync::Mutex<HashMap<usize, String>>,
    /// The number of the last lease that was lost, or 0.
    lost: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct LeadState {
    held: Option<HeldLease>,
    /// How many leases were held so far.
    leases: u64,
    pooled: bool,
    /// This agent held the last lease that is known of.
    led: bool,
    answer: Option<(Instant, LeadAnswer)>,
    survey: SurveySql,
}

/// Who leads, as far as it is known.
#[derive(Debug, Clone)]
pub struct LeadAnswer {
    pub leadership: Leadership,
    /// The number of the lease that is held.
    pub lease: Option<u64>,
    /// The agent that leads instead.
    pub other: Option<Holder>,
    /// Sessions that hold a lock of the lease and are no agents.
    pub ignored: Vec<Holder>,
}

/// Whether a database receives notifications on the lease's connection.
pub enum LeaseListens {
    Here(Result<(), Reason>),
    /// The lease stands in another database, or receives none.
    Elsewhere,
}

impl ServerLead {
    /// Tries to get the lease, or checks that it is still held. A lease on another server than the one that passes reach counts for
    /// nothing, as after a failover whose old server still answers.
    ///
    /// # Errors
    ///
    /// When no database of the server can be reached.
    pub async fn ask(&self) -> Result<LeadAnswer, Reason> {
        let mut state = self.state.lock().await;
        if let Some((at, answer)) = &state.answer
            && at.elapsed() < ANSWER_COUNTS_FOR
            && answer.lease.is_none_or(|lease| !self.is_lost(lease))
        {
            return Ok(answer.clone());
        }
        let answer = self.ask_now(&mut state).await?;
        state.answer = Some((Instant::now(), answer.clone()));
        Ok(answer)
    }

    async fn ask_now(&self, state: &mut LeadState) -> Result<LeadAnswer, Reason> {
        if let Some(held) = &state.held {
            let ignored = state.answer.as_ref().map_or_else(Vec::new, |(_, answer)| answer.ignored.clone());
            if held.check().await.is_some_and(|server| self.is_reached(held.member, &server)) {
                let lease = Some(held.number);
                return Ok(LeadAnswer { leadership: Leadership::Leader, lease, other: None, ignored });
            }
        }
        if let Some(lost) = state.held.take() {
            // The other databases of the server learn it too, where its connection is still open.
            self.lost.send_modify(|last| *last = (*last).max(lost.number));
            // A new connection shows whether the database is down, and needs the place of the old one.
            lost.release().await;
        }
        let mut first_error = None;
        for (index, member) in self.members.iter().enumerate() {
            let request = LeaseRequest { key: self.key, listen: self.listen, pooled: state.pooled, led: state.led };
            match attempt(member, request).await {
                Ok(attempt) => return Ok(self.accept(state, index, attempt)),
                Err(reason) => {
                    let elsewhere = concerns_one_database(&reason);
                    first_error.get_or_insert(reason);
                    if !elsewhere {
                        break;
                    }
                }
            }
        }
        Err(first_error.unwrap_or_else(|| Reason::new(ReasonKind::Internal, "a server without databases")))
    }

    fn accept(&self, state: &mut LeadState, member: usize, attempt: Attempt) -> LeadAnswer {
        let Attempt { lead, ignored } = attempt;
        let answer = |leadership, lease, other| LeadAnswer { leadership, lease, other, ignored };
        match lead {
            Lead::Replica => answer(Leadership::Observer, None, None),
            Lead::Other(holder) => {
                state.led = false;
                answer(Leadership::Follower, None, Some(holder))
            }
            Lead::Unheld => answer(Leadership::Leader, None, None),
            Lead::Held(standing) => {
                state.pooled = standing.is_pooled();
                state.led = true;
                self.reached.lock().unwrap_or_else(PoisonError::into_inner).clear();
                state.leases += 1;
                let number = state.leases;
                let triggers = Arc::clone(&self.members[member].triggers);
                state.held = Some(HeldLease::keep(number, member, standing, triggers, self.lost.clone()));
                answer(Leadership::Leader, Some(number), None)
            }
        }
    }

    /// Whether this database receives notifications on the lease's connection. Tries again where that failed.
    pub async fn listens(&self, member: usize) -> LeaseListens {
        let mut state = self.state.lock().await;
        let Some(held) = &mut state.held else { return LeaseListens::Elsewhere };
        if held.member != member {
            return LeaseListens::Elsewhere;
        }
        if let Err(reason) = &held.listening
            && reason.kind != ReasonKind::NoNotifications
        {
            held.listening = held.listen(&self.members[member].database).await;
        }
        LeaseListens::Here(held.listening.clone())
    }

    /// A pass over this member has reached this primary.
    pub fn reaches(&self, member: usize, server: &str) {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner).insert(member, server.to_owned());
    }

    /// Whether passes over this member reach this server, as far as one has since the lease was got, and its name is known.
    fn is_reached(&self, member: usize, server: &str) -> bool {
        let reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        server.is_empty() || reached.get(&member).is_none_or(|reached| reached == server)
    }

    fn is_lost(&self, lease: u64) -> bool {
        *self.lost.borrow() >= lease
    }

    /// The number of the last lease that was lost, or 0.
    pub fn losses(&self) -> watch::Receiver<u64> {
        self.lost.subscribe()
    }

    /// Whether this database alone has the lease.
    pub fn is_alone(&self) -> bool {
        self.members.len() == 1
    }

    /// How many databases the server has.
    pub fn databases(&self) -> usize {
        self.members.len()
    }

    /// Releases the lease at once, for the next agent.
    pub async fn release(&self) {
        let mut state = self.state.lock().await;
        state.answer = None;
        if let Some(held) = state.held.take() {
            held.release().await;
        }
    }
}

async fn attempt(member: &Member, request: LeaseRequest) -> Result<Attempt, Reason> {
    Ok(acquire(&member.database.connect_options()?, request).await?)
}

/// Whether another database of the same server may be entered all the same.
fn concerns_one_database(reason: &Reason) -> bool {
    use ReasonKind::{Configuration, LoginRefused, TooManyConnections, UnknownDatabase};
    matches!(reason.kind, Configuration | LoginRefused | TooManyConnections | UnknownDatabase)
}
