//! One card: what is wrong, why, and the command that fixes it.

use super::facts::{DatabaseFacts, Trouble};
use super::finding::what;
use super::runbook::{self, Runbook};
use crate::http::status::page_level::PageLevel;
use crate::http::status::sequence_query::SequenceQuery;
use crate::http::status::time::{format_duration, roughly};
use crate::http::status::words::{sentence, table_of};
use crate::report::{FarIds, Level, SequenceReport, SessionReport, Status, Verdict};
use pgmedic_core::{Fix, Reason, shell_quote};

#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// The same as long as the finding lasts: the page keeps the card in its place.
    pub key: String,
    pub level: PageLevel,
    /// A table, a database or a session store.
    pub title: String,
    /// What the title names, and where it is.
    pub place: String,
    /// In seconds since 1970.
    pub since: Option<f64>,
    pub what: String,
    pub why: Vec<String>,
    /// Who was behind the drift, as far as the server tells.
    pub who: Option<String>,
    /// The names of all sequences that it is about, where they are more than one.
    pub names: Vec<String>,
    /// What to run: one command, or one for each answer to the question.
    pub fixes: Vec<FixStep>,
    pub runbook: Option<&'static Runbook>,
    /// A link to the page of the one sequence that it is about.
    pub page: Option<String>,
}

/// A command, and where to run it.
#[derive(Debug, Clone, PartialEq)]
pub struct FixStep {
    /// `Fix`, `Check`, or when this is the right one.
    pub lead: &'static str,
    pub tool: Tool,
    pub command: String,
    /// What it brings about.
    pub after: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tool {
    /// SQL, on this database of a server, where one is named.
    Psql(String, Option<String>),
    /// On the agent's host.
    Shell,
    /// Not run, but added to the configuration.
    Configuration,
}

impl Tool {
    fn psql(database: &DatabaseFacts<'_>) -> Self {
        Self::Psql(database.own_name().to_owned(), database.server.map(str::to_owned))
    }
}

impl FixStep {
    fn of(fix: &Fix, database: &DatabaseFacts<'_>, after: Option<String>) -> Self {
        match fix {
            Fix::Sql(sql) => {
                let end = if sql.ends_with(';') { "" } else { ";" };
                // A line for each statement; within a literal, a line break would change it.
                let command = if sql.contains('\'') { sql.clone() } else { sql.replace("; ", ";\n") };
                Self { lead: "Fix", command: command + end, tool: Tool::psql(database), after }
            }
            Fix::Command(command) | Fix::Approval(command) => {
                Self { lead: "Fix", tool: Tool::Shell, command: command.clone(), after: None }
            }
            Fix::Configuration(tables) => {
                Self { lead: "Fix", tool: Tool::Configuration, command: tables.clone(), after: None }
            }
        }
    }

    fn shell(lead: &'static str, command: impl Into<String>) -> Self {
        Self { lead, tool: Tool::Shell, command: command.into(), after: None }
    }
}

/// About the sequences of one database that have the same reason and the same fix; at least one.
pub fn of_sequences(
    database: &DatabaseFacts<'_>,
    first: &SequenceReport,
    all: &[&SequenceReport],
    dry_run: bool,
) -> Card {
    let level = Level::of(first);
    let single = all.len() == 1;
    let table = first.feeds.first().map_or(&*first.name, |feed| table_of(&feed.column));
    let title = if single { table.to_owned() } else { format!("{} sequences", all.len()) };
    let since = all.iter().filter_map(|sequence| database.state.observed.since(&sequence.name)).reduce(f64::min);
    let what = match (single, level) {
        (true, _) => what(first),
        (false, Level::Unknown) if first.verdict == Verdict::Behind => {
            "Inserts may be failing; pgmedic cannot tell.".to_owned()
        }
        (false, Level::Unknown) => "Not checked. Inserts may be failing; pgmedic cannot tell.".to_owned(),
        (false, Level::Failing) => "Inserts fail with a duplicate key.".to_owned(),
        (false, _) => "No insert fails yet.".to_owned(),
    };
    // Each text once; a fix stands beside it.
    let mut why: Vec<String> = Vec::new();
    for reason in first.reasons() {
        let text = sentence(&reason.text);
        if !why.contains(&text) {
            why.push(text);
        }
    }
    if let (true, Level::Soon, Some(limited_by)) = (single, level, &first.limited_by) {
        why.push(sentence(&format!("the limit is that of {limited_by}")));
    }
    let fixes = match (single, &first.far_ids) {
        (true, Some(far)) if level == Level::Decision => {
            let burnt = format!(
                "moving past them would use up the {} free values before them, so pgmedic asks first",
                far.distance
            );
            why = vec![sentence(&burnt)];
            far_fixes(database, first, far)
        }
        _ => fix_of(database, first, dry_run).into_iter().collect(),
    };
    let key = format!("{} {} {}", database.name, first.name, level_word(level));
    Card {
        key,
        level: level.into(),
        title,
        place: database.place(),
        since,
        what,
        why,
        who: who(all),
        names: if single { Vec::new() } else { all.iter().map(|sequence| sequence.name.to_string()).collect() },
        fixes,
        runbook: runbook::of_sequence(first),
        page: single.then(|| SequenceQuery::link(database.name, &first.name)),
    }
}

/// Of several sequences, where the same is told of each; with why no more is known, where a privilege is missing.
fn who(sequences: &[&SequenceReport]) -> Option<String> {
    let told = |sequence: &SequenceReport| {
        let evidence = sequence.evidence.as_ref()?;
        let parts = evidence.text().into_iter().chain(evidence.missing_privilege().map(ToString::to_string));
        let parts: Vec<String> = parts.map(|part| sentence(&part)).collect();
        (!parts.is_empty()).then(|| parts.join(" "))
    };
    let first = told(sequences.first()?)?;
    sequences.iter().all(|sequence| told(sequence).as_ref() == Some(&first)).then_some(first)
}

fn level_word(level: Level) -> &'static str {
    PageLevel::from(level).class()
}

fn fix_of(database: &DatabaseFacts<'_>, sequence: &SequenceReport, dry_run: bool) -> Option<FixStep> {
    // It is only watched, so a run that repairs it is the fix.
    if Status::of(sequence) == Status::Behind {
        return Some(FixStep::shell("Fix", format!("pgmedic --once --database {}", shell_quote(database.name))));
    }
    let fix = sequence.reasons().find_map(|reason| reason.fix.as_ref())?;
    let act = match sequence.verdict {
        Verdict::Behind if !dry_run => "repairs",
        Verdict::Unreadable => "checks",
        _ => return Some(FixStep::of(fix, database, None)),
    };
    let after = format!("pgmedic then {act} the sequence within {}.", format_duration(database.state.interval));
    Some(FixStep::of(fix, database, Some(after)))
}

/// The answers to ids far ahead, the safest first.
fn far_fixes(database: &DatabaseFacts<'_>, sequence: &SequenceReport, far: &FarIds) -> Vec<FixStep> {
    let descending = sequence.next_value_after_pass().is_some_and(|next| far.from < next);
    let mut fixes = Vec::new();
    if let Some(feed) = sequence.feeds.first() {
        let table = table_of(&feed.column);
        let (column, beyond) =
            (feed.column.trim_start_matches(table).trim_start_matches('.'), if descending { "<=" } else { ">=" });
        fixes.push(FixStep {
            lead: "If they are a mistake, look at them and give them other ids",
            tool: Tool::psql(database),
            command: format!("SELECT * FROM {table} WHERE {column} {beyond} {};", far.from),
            after: None,
        });
    }
    let pattern = toml_text(&sequence.name);
    let last = if descending { far.from.saturating_add(1) } else { far.from.saturating_sub(1) };
    fixes.push(FixStep {
        lead: "If the range is reserved",
        tool: Tool::Configuration,
        command: format!("[[sequences.rules]]\nmatch = {pattern}\nmax_id = {last}"),
        after: None,
    });
    let approve = sequence.reasons().find_map(|reason| reason.fix.as_ref());
    fixes.extend(approve.map(|fix| FixStep { lead: "If the jump is wanted", ..FixStep::of(fix, database, None) }));
    fixes
}

/// As a string of TOML.
fn toml_text(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// About a database of which nothing is known now.
pub fn of_database(database: &DatabaseFacts<'_>, trouble: Trouble<'_>, now: f64) -> Card {
    let since = database.trouble_since();
    let checked = match (trouble, database.state.last_success) {
        (Trouble::NoSequences, _) => String::new(),
        (_, Some(at)) => format!("Not checked for {}. Inserts may be failing; pgmedic cannot tell.", roughly(now - at)),
        (_, None) => "Not checked since the agent started. Inserts may be failing; pgmedic cannot tell.".to_owned(),
    };
    let (what, why, fix, runbook) = match trouble {
        Trouble::NotChecked(why) => {
            let check = format!("pgmedic --once --dry-run --database {}", shell_quote(database.name));
            (checked, vec![sentence(why)], Some(FixStep::shell("Check", check)), Some(&runbook::UNREACHABLE))
        }
        Trouble::Overdue => {
            let due =
                format!("A check is due every {}, and none was completed.", format_duration(database.state.interval));
            (checked, vec![due], None, Some(&runbook::STALE))
        }
        Trouble::NoSequences => (
            "The database was checked and holds no sequences that pgmedic can see.".to_owned(),
            vec![
                "Usually the URL names another database than the application uses, or include and exclude leave \
                 nothing."
                    .to_owned(),
            ],
            Some(FixStep::shell("Check", "pgmedic check-config")),
            None,
        ),
    };
    Card {
        key: format!("{} database", database.name),
        level: PageLevel::Unknown,
        title: database.own_name().to_owned(),
        place: database.server.map_or_else(|| "database".to_owned(), |server| format!("database on server {server}")),
        since,
        what,
        why,
        who: None,
        names: Vec::new(),
        fixes: fix.into_iter().collect(),
        runbook,
        page: None,
    }
}

/// About a session store whose sweep failed or is held.
pub fn of_store(database: &DatabaseFacts<'_>, store: &SessionReport) -> Card {
    let failed = store.error.is_some();
    let what = if failed {
        "Sessions that are over are not ended: the last sweep failed."
    } else {
        "Sessions that are over are not ended: a guard holds the sweep."
    };
    let fix = store.attention().find_map(|reason| reason.fix.as_ref());
    Card {
        key: format!("{} store {}", database.name, store.name),
        level: if failed { PageLevel::Unknown } else { PageLevel::Decision },
        title: store.name.clone(),
        place: format!("session store in {}", database.place()),
        since: None,
        what: what.to_owned(),
        why: store.attention().map(|reason: &Reason| sentence(&reason.text)).collect(),
        who: None,
        names: Vec::new(),
        fixes: fix.map(|fix| FixStep::of(fix, database, None)).into_iter().collect(),
        runbook: Some(if failed { &runbook::SESSIONS_BACKLOG } else { &runbook::SESSIONS_HELD }),
        page: None,
    }
}

/// About the configuration, which was refused when it was last read.
pub fn of_configuration() -> Card {
    Card {
        key: "configuration".to_owned(),
        level: PageLevel::Decision,
        title: "Configuration".to_owned(),
        place: "of this agent".to_owned(),
        since: None,
        what: "The configuration was refused when it was last read; the one before is in force.".to_owned(),
        why: Vec::new(),
        who: None,
        names: Vec::new(),
        fixes: vec![FixStep::shell("Check", "pgmedic check-config")],
        runbook: Some(&runbook::RELOAD),
        page: None,
    }
}
