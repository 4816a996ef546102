//! Where the workers hand over what they found: first the state that the pages show, then the counters, then the log.

use super::context::AgentContext;
use super::database_log::{DatabaseLog, Subject};
use super::leadership::Leadership;
use super::news::Fact;
use super::repair_log::LogNews;
use crate::db::{Holder, ListenError};
use crate::report::{DatabaseLabel, DatabaseReport, SessionReport};
use crate::state::DatabaseState;
use pgmedic_core::{Reason, ReasonKind};
use std::sync::Arc;
use std::time::Duration;
use tracing::Level;

/// Publishes what one worker finds in one database.
#[derive(Debug)]
pub struct Publisher {
    database: DatabaseLabel,
    /// `sequences` or `sessions`, as the metrics call it.
    pass: &'static str,
    context: AgentContext,
    log: DatabaseLog,
}

impl Publisher {
    pub fn new(context: &AgentContext, database: &DatabaseLabel, pass: &'static str) -> Self {
        Self { database: database.clone(), pass, context: context.clone(), log: DatabaseLog::new(database) }
    }

    /// Makes the series of the database exist, and forgets what was known of it: after a reload it may be another server.
    pub fn init_database(&self, interval: Duration) {
        self.context.metrics.init_database(&self.database);
        self.update(|state| {
            // The last 24 hours stay: a reload seldom changes the server.
            let observed = Arc::clone(&state.observed);
            let discovered = self.database.server().map(|_| self.database.clone());
            *state =
                DatabaseState { discovered, interval: interval.as_secs_f64(), observed, ..DatabaseState::default() };
        });
    }

    /// Makes the series of the database's session stores exist.
    pub fn init_stores<'a>(&self, stores: impl Iterator<Item = &'a str>, interval: Duration) {
        self.context.metrics.init_stores(&self.database, stores);
        self.update(|state| state.sweeps.interval = Some(interval.as_secs_f64()));
    }

    /// What the scheduler calls: asks for a pass, and counts a tick that `accept` refuses because a pass is running.
    pub fn tick_handler(
        &self,
        accept: impl Fn() -> bool + Send + Sync + 'static,
    ) -> Box<dyn Fn() + Send + Sync + 'static> {
        let (database, pass, metrics) = (self.database.to_string(), self.pass, Arc::clone(&self.context.metrics));
        Box::new(move || {
            if !accept() {
                metrics.count_skipped(&database, pass, "running");
            }
        })
    }

    /// Whether this agent leads on the database; that it is unknown is not logged.
    pub fn leadership(&mut self, leadership: Leadership) {
        self.set_leadership(leadership, "");
    }

    fn set_leadership(&mut self, leadership: Leadership, why: &str) {
        self.update(|state| {
            state.leader = leadership == Leadership::Leader;
            state.replica = match leadership {
                Leadership::Observer => true,
                // Not known at the moment.
                Leadership::Unknown => state.replica,
                Leadership::Leader | Leadership::Follower => false,
            };
        });
        let database = self.database.as_str();
        let Some(role) = leadership.says() else { return };
        // On a server it is said once for all of its databases.
        if self.log.is_news(Subject::Leadership, role.to_owned()) && self.database.server().is_none() {
            tracing::info!(database, "this agent {role} on {database}{why}");
        }
    }

    /// Sessions that hold a lock of the lease and cannot be agents.
    pub fn ignored_holders(&mut self, holders: &[Holder]) {
        let fact = |holder: &Holder| {
            let Holder { role, application, pid, .. } = holder;
            let text = format!(
                "role {role:?} holds pgmedic's advisory lock in {} (application {application:?}, process {pid}) and can be no \
                 agent, so it is ignored; SELECT pg_terminate_backend({pid}) ends it",
                self.database
            );
            Fact { level: Level::WARN, kind: role.clone(), text }
        };
        let facts = holders.iter().map(fact).collect();
        self.log.log(Subject::IgnoredHolder, facts);
    }

    /// NOTIFY is heard in other databases of the server only, as no connection is left.
    pub fn not_listening_for_lack_of_connections(&mut self, databases: usize) {
        let database = self.database.as_str();
        let kind = format!("{:?}", ReasonKind::TooManyConnections);
        if self.log.is_news(Subject::Listening, kind) {
            tracing::info!(
                database,
                "no LISTEN in {database}, which follows its schedule: max_connections leaves no connection for it beside the \
                 others of {databases} databases on its server"
            );
        }
    }

    /// A pass was due, and another agent leads: what that one sees is not known here.
    pub fn standby(&mut self, leader: Option<&Holder>) {
        self.skipped_as_standby();
        let leader = leader.map_or_else(String::new, |Holder { role, application, pid, .. }| {
            format!(": role {role:?} leads (application {application:?}, process {pid})")
        });
        self.set_leadership(Leadership::Follower, &leader);
        self.log.forget(&Subject::RepairLog);
        self.log.recovered();
        self.update(|state| {
            state.up = Some(true);
            state.report = None;
            state.last_error = None;
        });
    }

    /// Counts a pass or sweep that was due and not made because another agent leads.
    pub fn skipped_as_standby(&self) {
        self.context.metrics.count_skipped(&self.database, self.pass, "standby");
    }

    /// Whether this agent listens for NOTIFY; the reason says why it cannot.
    pub fn listening(&mut self, listening: Result<(), Reason>) {
        let database = self.database.as_str();
        let fact = listening.as_ref().err().map_or_else(String::new, |reason| format!("{:?}", reason.kind));
        if !self.log.is_news(Subject::Listening, fact) {
            return;
        }
        match listening {
            Ok(()) => tracing::info!(database, "listening for NOTIFY pgmedic in {database}"),
            Err(reason) => tracing::warn!(
                database,
                "cannot LISTEN in {database}, so passes run on schedule only: {reason}; to accept this, set \
                 sequences.listen_notify = false"
            ),
        }
    }

    /// LISTEN is not possible in this database, nor in the others of its server in which it was not tried yet.
    pub fn not_listening_on_server(&mut self, why: &ListenError, databases: usize) {
        let server = self.database.server().unwrap_or_default();
        let fix = match why {
            ListenError::NoConnectionLeft => "; a larger max_connections leaves more for it",
            _ => "",
        };
        tracing::info!(
            server,
            "no LISTEN in most of the {databases} databases of {server}, which follow the schedule: {why}{fix}"
        );
    }

    /// A pass was due, and the server's statistics say that nothing was done in the database since the last one.
    pub fn unchanged(&mut self) {
        self.context.state.record_unchanged(&self.database);
        self.context.metrics.count_unchanged(&self.database);
        self.log.recovered();
    }

    /// The server of the database cannot be monitored, which is said once for all of its databases.
    pub fn server_failure(&self, reason: &Reason) {
        self.update(|state| {
            state.up = Some(false);
            state.report = None;
            state.last_error = Some(reason.to_string());
        });
    }

    /// The server says that the role may not enter the database.
    pub fn refused(&mut self, reason: &Reason) {
        self.context.metrics.count_failed_pass(&self.database);
        self.failure(reason, Some(false));
    }

    /// A pass has ended, completed or not.
    pub fn pass(&mut self, report: &Arc<DatabaseReport>) {
        if let Some(reason) = &report.error {
            self.failure(reason, Some(report.server_version.is_some()));
            self.context.metrics.count(report);
            return;
        }
        let set_back = self.context.state.record_pass(&self.database, Arc::clone(report));
        self.context.metrics.count(report);
        self.log.sequences(report, &set_back);
        self.log.recovered();
        for rule in self.context.rules.record(&self.database, report) {
            tracing::warn!("{}", rule.unused());
        }
    }

    /// A pass panicked: there is no report.
    pub fn panicked(&mut self) {
        self.context.metrics.count_failed_pass(&self.database);
        let text = "a pass panicked: this is a defect of pgmedic, please report it";
        self.failure(&Reason::new(ReasonKind::Internal, text), None);
    }

    /// No pass could be made, or it was not completed. `reached` says whether the database responded, if that is known.
    pub fn failure(&mut self, reason: &Reason, reached: Option<bool>) {
        let database = self.database.as_str();
        self.update(|state| {
            state.up = reached.or(state.up);
            state.report = None;
            state.last_error = Some(reason.to_string());
        });
        if self.log.add(Subject::Unreachable, format!("{:?}", reason.kind)) {
            if self.database.server().is_some() {
                // The others of its server go on.
                tracing::warn!(database, "{database} cannot be monitored: {reason}");
            } else {
                tracing::error!(database, "{database} cannot be monitored: {reason}");
            }
        }
    }

    /// What `pgmedic.repair_log` newly tells; or why it cannot be used.
    pub fn repair_log(&mut self, found: Result<LogNews, Reason>) {
        let problem = found.as_ref().err().map(|reason| Fact {
            level: Level::WARN,
            kind: format!("{:?}", reason.kind),
            text: format!("{}: {reason}", self.database),
        });
        self.log.log(Subject::RepairLog, problem.into_iter().collect());
        let LogNews { inline, earlier } = found.unwrap_or_default();
        if let Some(earlier) = earlier {
            self.context.state.restore_repairs(&self.database, earlier);
        }
        for (outcome, repairs) in inline {
            self.context.state.record_inline_repairs(&self.database, outcome, repairs);
            self.context.metrics.count_inline(&self.database, outcome, repairs);
        }
    }

    /// Some of the database's session stores were swept, or could not be.
    pub fn sweep(&mut self, reports: Vec<SessionReport>, took: Duration) {
        for report in &reports {
            self.log.store(report);
        }
        self.context.metrics.count_sweep(&self.database, &reports, took.as_secs_f64());
        self.context.state.record_sweep(&self.database, reports);
    }

    /// Another agent sweeps the stores now: what was known of them is outdated.
    pub fn forget_stores(&self) {
        self.update(|state| state.sweeps.stores.clear());
    }

    fn update(&self, change: impl FnOnce(&mut DatabaseState)) {
        self.context.state.update(&self.database, change);
    }
}
