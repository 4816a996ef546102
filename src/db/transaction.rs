//! Simple-query messages: the SQL of one or several transactions, and how their answers are collected.
//!
//! Several statements in one message cost one round trip, and a transaction-mode pooler sends the whole message to one
//! server process.

use pgmedic_core::{QueryError, Timeouts, positive_milliseconds, settings_select};
use sqlx::postgres::PgRow;
use std::time::Duration;

/// What a transaction may do, and how it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionMode {
    Read,
    /// Reads tables that run functions of other owners. The rollback also undoes the settings that those functions changed.
    ReadOnlyThenRollback,
    Write,
}

impl TransactionMode {
    fn begin(self) -> &'static str {
        match self {
            Self::Read | Self::ReadOnlyThenRollback => "BEGIN ISOLATION LEVEL READ COMMITTED, READ ONLY",
            Self::Write => "BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE",
        }
    }

    fn end(self) -> &'static str {
        match self {
            Self::Read | Self::Write => "COMMIT",
            Self::ReadOnlyThenRollback => "ROLLBACK",
        }
    }
}

/// The answers to the statements of a message.
#[derive(Debug, Default)]
pub struct TransactionResult {
    /// The rows of each statement that was completed.
    pub answers: Vec<Vec<PgRow>>,
    /// Why the statement after the last answer failed; its transaction is rolled back then.
    pub failure: Option<QueryError>,
}

impl TransactionResult {
    /// The rows of each statement.
    ///
    /// # Errors
    ///
    /// The failure, if there is one.
    pub fn into_answers(self) -> Result<Vec<Vec<PgRow>>, QueryError> {
        self.failure.map_or(Ok(self.answers), Err)
    }

    /// The rows of the last statement.
    ///
    /// # Errors
    ///
    /// The failure, if there is one.
    pub fn into_rows(self) -> Result<Vec<PgRow>, QueryError> {
        Ok(self.into_answers()?.pop().unwrap_or_default())
    }
}

/// In a database of encoding SQL_ASCII a name may be any bytes. A server that is to send it as UTF-8 fails the whole query.
const RAW_BYTES: &str = "CASE WHEN pg_catalog.current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'SQL_ASCII' \
     THEN false ELSE pg_catalog.set_config('client_encoding', 'SQL_ASCII', true) IS NULL END";

/// What every transaction of one kind begins with.
#[derive(Debug, Clone, Copy)]
pub struct Preamble<'a> {
    /// What the transaction does, in the comment before its first statement.
    pub name: &'a str,
    /// Identifies the connection, in the comment before the second.
    pub tag: &'a str,
    pub mode: TransactionMode,
    pub timeouts: Timeouts,
    /// Whether the server can be told to read no view.
    pub restrict_views: bool,
}

/// On a busy machine, this process may need longer between two statements than a short `statement_timeout` allows one.
const LEAST_IDLE_TIMEOUT: Duration = Duration::from_secs(1);

impl Preamble<'_> {
    /// Opens the transaction and fixes the settings that could change what a statement does or how long it takes.
    fn statements(&self) -> Vec<String> {
        let Self { name, tag, mode, timeouts, restrict_views } = self;
        let mut others = vec![
            // Should the agent vanish without closing the connection, this ends the transaction and frees its locks.
            (
                "idle_in_transaction_session_timeout",
                positive_milliseconds(timeouts.statement.max(LEAST_IDLE_TIMEOUT)).to_string(),
            ),
            // A notice is text of the author of a trigger or function, in any amount.
            ("client_min_messages", "error".to_owned()),
        ];
        if *restrict_views {
            // A view that replaced a table under the table's name is not read: its functions would run.
            others.push(("restrict_nonsystem_relation_kind", "view, foreign-table".to_owned()));
        }
        // Each statement has its own timeout. A transaction's would end a pass over many tables.
        let settings = settings_select(*timeouts, &others, &[("transaction_timeout", "0")]);
        let settings = format!("{settings} OR {RAW_BYTES}");
        // Before PostgreSQL 16, pg_stat_statements has an entry for each text of a BEGIN, comments included: the tag is not one
        // of these.
        vec![format!("/* pgmedic:{name} */ {}", mode.begin()), format!("/* tag={tag} */ {settings}")]
    }
}

/// Whether a server of this version has `restrict_nonsystem_relation_kind`, which came with minor releases too.
pub fn can_restrict_views(version: u32) -> bool {
    let first = [130_016, 140_013, 150_008, 160_004];
    version >= 170_000 || first.iter().any(|first| first / 10_000 == version / 10_000 && version >= *first)
}

/// One statement of a message.
#[derive(Debug)]
struct Statement {
    sql: String,
    /// Its completion completes an answer: the rows since the answer before.
    completes_answer: bool,
}

/// The statements of one simple-query message.
#[derive(Debug, Default)]
pub struct Message {
    statements: Vec<Statement>,
    /// How many transactions it opens.
    transactions: u64,
}

impl Message {
    /// Opens a transaction, and no more.
    pub fn begin(preamble: &Preamble<'_>) -> Self {
        let mut message = Self { transactions: 1, ..Self::default() };
        message.push_without_answer(preamble.statements());
        message
    }

    /// All `statements` in one transaction. Each of them has an answer.
    pub fn one_transaction(preamble: &Preamble<'_>, statements: impl IntoIterator<Item = String>) -> Self {
        let mut message = Self::begin(preamble);
        for sql in statements {
            message.statements.push(Statement { sql, completes_answer: true });
        }
        message.push_without_answer([preamble.mode.end().to_owned()]);
        message
    }

    /// The statements of each of `groups` in a separate transaction. Its answer is complete when the transaction is
    /// committed.
    pub fn separate_transactions(preamble: &Preamble<'_>, groups: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut message = Self::default();
        let begin = preamble.statements();
        for group in groups {
            message.push_without_answer(begin.iter().cloned().chain(group));
            message.transactions += 1;
            message.statements.push(Statement { sql: preamble.mode.end().to_owned(), completes_answer: true });
        }
        message
    }

    /// A single statement whose answer is not wanted.
    pub fn without_answer(sql: &str) -> Self {
        let mut message = Self::default();
        message.push_without_answer([sql.to_owned()]);
        message
    }

    fn push_without_answer(&mut self, statements: impl IntoIterator<Item = String>) {
        let unanswered = statements.into_iter().map(|sql| Statement { sql, completes_answer: false });
        self.statements.extend(unanswered);
    }

    /// What is sent one by one to a server that writes the whole message into its log for each of its statements. The tag
    /// stands in every one that `pg_stat_statements` would not take for a new one because of it.
    pub fn each(&self, tag: &str) -> Vec<String> {
        let tagged = |sql: &String| {
            let plannable = ["SELECT", "WITH", "INSERT", "UPDATE", "DELETE"].iter().any(|word| sql.starts_with(word));
            if plannable { format!("/* tag={tag} */ {sql}") } else { sql.clone() }
        };
        self.statements.iter().map(|statement| tagged(&statement.sql)).collect()
    }

    /// What is sent.
    pub fn sql(&self) -> String {
        let mut sql = String::with_capacity(self.statements.iter().map(|statement| statement.sql.len() + 2).sum());
        for statement in &self.statements {
            sql.push_str(&statement.sql);
            sql.push_str(";\n");
        }
        sql
    }

    /// How many transactions it opens.
    pub fn transactions(&self) -> u64 {
        self.transactions
    }

    /// Collects the response to this message.
    pub fn answers<R>(self) -> AnswerCollector<R> {
        let completes_answer: Vec<bool> = self.statements.iter().map(|statement| statement.completes_answer).collect();
        AnswerCollector { completes_answer: completes_answer.into_iter(), rows: Vec::new(), answers: Vec::new() }
    }
}

/// Sorts the rows of a response into answers.
#[derive(Debug)]
pub struct AnswerCollector<R> {
    /// One for each statement that is not completed yet.
    completes_answer: std::vec::IntoIter<bool>,
    /// The rows since the last complete answer.
    rows: Vec<R>,
    answers: Vec<Vec<R>>,
}

impl<R> AnswerCollector<R> {
    pub fn row(&mut self, row: R) {
        self.rows.push(row);
    }

    /// The next statement of the message is completed.
    pub fn statement_completed(&mut self) {
        if self.completes_answer.next() == Some(true) {
            self.answers.push(std::mem::take(&mut self.rows));
        }
    }

    /// The complete answers, in the order of the message.
    pub fn finish(self) -> Vec<Vec<R>> {
        self.answers
    }
}

#[cfg(test)]
#[path = "transaction_tests.rs"]
mod tests;
