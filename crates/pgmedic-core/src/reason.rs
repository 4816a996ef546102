//! Why something is as it is, as data: a kind to match on, a sentence to read, and the command that fixes it.

use crate::shell_quote;
use serde::{Serialize, Serializer};
use std::fmt;

/// Why a sequence, a repair, a session store or a database is as it is reported.
///
/// # Example
///
/// ```
/// use pgmedic_core::{Fix, Reason, ReasonKind};
///
/// let reason = Reason::new(ReasonKind::MissingPrivilege, "a privilege is missing")
///     .with_fix(Fix::Sql("GRANT SELECT (id) ON public.t TO medic".to_owned()));
/// assert_eq!(reason.to_string(), "a privilege is missing: GRANT SELECT (id) ON public.t TO medic");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Reason {
    /// What to match on; it never depends on the wording.
    pub kind: ReasonKind,
    /// One sentence without a final period, with names quoted as SQL needs them. It holds no secret.
    pub text: String,
    /// A complete command that removes the reason, where one command can.
    pub fix: Option<Fix>,
}

/// A command that a person can run as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fix {
    /// SQL statements for the database of the report.
    Sql(String),
    /// A command for a shell.
    Command(String),
    /// A command for a shell that approves a repair or a sweep. Where several databases are configured, it is complete with
    /// [`Reason::name_database`].
    Approval(String),
    /// Tables for the configuration file.
    Configuration(String),
}

/// The kinds of reasons, in the JSON report in snake case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReasonKind {
    /// The role lacks a privilege.
    MissingPrivilege,
    /// Row-level security hides rows from the role.
    RowSecurity,
    /// Reading or writing would run code of roles that are not trusted with the rights of this one.
    UntrustedCode,
    /// The configuration names what does not exist, or says what cannot be.
    Configuration,
    /// The sequence cycles.
    Cycle,
    /// No value is left before the limit.
    Exhausted,
    /// Few values are left before the limit.
    RunningOut,
    /// The sequence stands before a next value that it had already.
    Rewound,
    /// Nothing says which column the sequence feeds.
    Unlinked,
    /// A link exists that does not count.
    IgnoredLink,
    /// The sequence is owned by a column that draws from another one.
    LeftOver,
    /// A likely link, which the configuration would have to declare.
    LikelyLink,
    /// The configuration has to say which ids an application makes from one value.
    Allocator,
    /// The trigger of `pgmedic sql follow` takes the sequence past the stated `max_id`.
    FollowsTooFar,
    /// Two sequences hand out values for one column.
    SharedColumn,
    /// No sequence was looked at.
    NoSequence,
    /// A name is not in the encoding that everything is read in.
    NameEncoding,
    /// A column whose ids cannot be compared with the sequence, by its nature.
    UnsupportedColumn,
    /// The next values make ids that are taken, in a column whose ids are computed, or of a sequence that cycles.
    IdTaken,
    /// Fewer values are left unused than the headroom asked for.
    Headroom,
    /// Too many relations for a bounded transaction.
    TooManyRelations,
    /// A guard holds the repair: it would leave no value before the limit.
    Limit,
    /// A guard holds the repair: the ids ahead are so far away that no insert fails yet.
    FarIds,
    /// A guard holds the repair: the ids ahead lie so thin that passing them would burn more than the allowance.
    Thin,
    /// A guard holds the repair: the free values before the nearest id are more than the allowance.
    Budget,
    /// A guard holds the repair: no unique index makes an insert fail.
    NoUniqueKey,
    /// The column is unique only together with the others of a primary key, so that an insert of a taken id may fail.
    PartOfKey,
    /// A guard holds the repair: no index can find where the ids ahead end.
    NoIndex,
    /// A guard holds the repair: only an owner of the sequence may make a leap.
    Ownership,
    /// The server is a replica, or read only.
    ReadOnly,
    /// The run only looks: a dry run, or repairs are switched off.
    RepairDisabled,
    /// Sessions may still hold cached values that are taken.
    CachedValues,
    /// Ids past the sequence were inserted as fast as it was repaired.
    StillBehind,
    /// The values of a column cannot be what the configuration says they are.
    Implausible,
    /// A guard holds the sweep: all sessions would end, and none would be left.
    NoneLeft,
    /// A guard holds the sweep: it would end more of the live sessions than is allowed at once.
    TooManyEnded,
    /// A guard holds the sweep: one user would lose more sessions than is allowed at once.
    TooManyOfOneUser,
    /// A guard holds the sweep: more live sessions are beyond their users' newest than may end at once.
    TooManySuperseded,
    /// A guard holds the sweep: it is the first look at the store, and most of its sessions would end.
    FirstSweep,
    /// A guard holds the first sweep: a column tells the sessions that would end from the live ones.
    SeveralKinds,
    /// A guard holds the sweep: sessions that are new were over from the beginning.
    OverFromBirth,
    /// A guard holds the sweep: a sequence would hand out the ids of ended sessions again.
    IdsReissued,
    /// A sweep that did not finish within its time.
    Unfinished,
    /// No usable index begins with the column.
    MissingIndex,
    /// A foreign key stops the deletion of sessions.
    ForeignKey,
    /// Foreign keys lead from a session back to other sessions, and would delete them.
    ForeignKeyRing,
    /// Foreign keys do not act: by `session_replication_role`, or because their triggers are disabled.
    ForeignKeysOff,
    /// A guard holds the sweep: rows that are no part of a session would be deleted with it.
    TakesAlong,
    /// A trigger keeps sessions that were to be deleted.
    TriggerKeepsRows,
    /// A trigger raised an error.
    TriggerFailed,
    /// A trigger of the store is disabled.
    TriggerDisabled,
    /// A rule rewrites the statement that ends a session.
    RewriteRule,
    /// A lock was not available within `lock_timeout`.
    LockNotAvailable,
    /// VACUUM or ANALYZE works on a table of another role, which a superuser reads under a lock that conflicts with theirs.
    BeingVacuumed,
    /// A statement took longer than `statement_timeout`.
    StatementTimeout,
    /// A relation was dropped, altered or replaced during the pass.
    ConcurrentlyChanged,
    /// The server refused the role, its password or its certificate.
    LoginRefused,
    /// The server has no such database.
    UnknownDatabase,
    /// The server, or the role, has no connection left.
    TooManyConnections,
    /// The server is starting up or shutting down.
    NotReady,
    /// The TLS handshake failed, or a file for it cannot be used.
    TlsFailed,
    /// Nothing answered in time.
    NoResponse,
    /// A server that is not what `target_session_attrs` asks for, or is too old.
    WrongServer,
    /// Notifications do not arrive through this connection.
    NoNotifications,
    /// A cutover: the two databases look as if each was given in the other's place.
    Swapped,
    /// A cutover: both connection strings lead to one database.
    SameDatabase,
    /// A cutover: the database that takes over has no sequence of this name.
    MissingSequence,
    /// A cutover: the two sequences of one name are defined differently.
    Definition,
    /// A cutover: the subscription does not receive, or has not copied every table yet.
    Replication,
    /// A cutover: rows that were written have not arrived yet.
    ReplicationLag,
    /// A cutover: values are being handed out while the sequences are carried over.
    WritersActive,
    /// The server keeps no statistics of statements.
    NoStatistics,
    /// `pgmedic.repair_log` cannot be used.
    RepairLog,
    /// The server could not be reached, or does not let the role in.
    Unreachable,
    /// The connection was lost.
    ConnectionLost,
    /// A pooler in between does not keep transactions together.
    StatementPooled,
    /// Any other error of the server, or an answer that was not expected.
    ServerError,
    /// A defect of pgmedic, or of its driver.
    Internal,
}

impl Reason {
    /// A reason without a fix.
    #[must_use]
    pub fn new(kind: ReasonKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), fix: None }
    }

    /// The same reason with the command that removes it.
    #[must_use]
    pub fn with_fix(self, fix: Fix) -> Self {
        Self { fix: Some(fix), ..self }
    }

    /// The same reason, said of what was being done.
    #[must_use]
    pub fn while_doing(self, what: &str) -> Self {
        Self { text: format!("{what}: {}", self.text), ..self }
    }

    /// Makes a command that approves something complete where there are several databases.
    pub fn name_database(&mut self, database: &str) {
        if let Some(Fix::Approval(command)) = &self.fix {
            self.fix = Some(Fix::Command(format!("{command} --database {}", shell_quote(database))));
        }
    }

    /// A missing privilege, such as `USAGE ON SCHEMA a`, and the statement that grants it. `role` is quoted.
    #[must_use]
    pub fn missing_privilege(privilege: &str, role: &str) -> Self {
        Self::new(ReasonKind::MissingPrivilege, "a privilege is missing")
            .with_fix(Fix::Sql(format!("GRANT {privilege} TO {role}")))
    }
}

impl Fix {
    /// The command that approves a repair or a sweep by name.
    #[must_use]
    pub fn approve(name: &str) -> Self {
        Self::Approval(format!("pgmedic --once --approve {}", shell_quote(&approval_pattern(name))))
    }

    /// The command itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Sql(command) | Self::Command(command) | Self::Approval(command) | Self::Configuration(command) => {
                command
            }
        }
    }
}

/// What `--approve` takes for this name alone: it takes patterns, so the name's own `*` and `?` are written as ordinary
/// characters.
#[must_use]
pub fn approval_pattern(name: &str) -> String {
    let mut pattern = String::with_capacity(name.len());
    for character in name.chars() {
        if matches!(character, '*' | '?') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern
}

/// The text, then the fix.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fix {
            Some(fix) => write!(f, "{}: {}", self.text, fix.as_str()),
            None => f.write_str(&self.text),
        }
    }
}

/// As text: the report says only what to run.
impl Serialize for Fix {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
