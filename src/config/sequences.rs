//! The `[sequences]` section: watching and repairing sequences.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use pgmedic_core::Timeouts;

use super::error::{ConfigError, display_or_hide};
use super::layers::ConfigLocations;
use super::pattern::Pattern;
use super::raw::{RawFeed, RawSequences};
use super::schedule;
use super::values::{at_least_one, count, display_with_problem, ratio, timeout};
use pgmedic_core::{ColumnName, NameError, TableName};

/// How to watch and repair sequences.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences {
    /// When to look: a cron line of six fields, seconds first, UTC.
    pub schedule: String,
    /// Whether `NOTIFY pgmedic` makes the agent look at once.
    pub listen_notify: bool,
    /// Whether to repair what is found, or only to report it.
    pub repair: bool,
    /// Look at the sequences that match any of these …
    pub include: Vec<Pattern>,
    /// … and none of these.
    pub exclude: Vec<Pattern>,
    /// Values to leave unused beyond the max id when repairing.
    pub headroom: u32,
    /// The largest gap, in values, that is closed by drawing values with `nextval`.
    pub advance_limit: u32,
    /// The largest part of a sequence's remaining range, in (0, 1], that a leap may use up.
    pub max_repair_ratio: f64,
    /// How long a statement waits for a lock; whole milliseconds.
    pub lock_timeout: Duration,
    /// How long a statement runs; whole milliseconds.
    pub statement_timeout: Duration,
    /// Every how many passes of an agent all is read again, changed or not; at least 1.
    pub full_pass_every: u32,
    /// Links that the catalog does not record.
    pub feeds: Vec<DeclaredFeed>,
}

/// A column that is fed by a sequence because the configuration says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredFeed {
    pub sequence: TableName,
    pub column: ColumnName,
    /// Only in the database of this configured name; in every one if none.
    pub database: Option<String>,
}

impl Sequences {
    /// Whether the sequence is to be looked at. Names as PostgreSQL stores them, without quotes.
    pub fn covers(&self, schema: &str, sequence: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(schema, sequence));
        any(&self.include) && !any(&self.exclude)
    }

    /// How long its statements may take.
    pub fn bounds(&self) -> Timeouts {
        Timeouts { lock: self.lock_timeout, statement: self.statement_timeout }
    }

    /// The declared feeds that concern the database of this configured name.
    pub fn feeds_in<'a>(&'a self, database: &'a str) -> impl Iterator<Item = &'a DeclaredFeed> {
        self.feeds.iter().filter(move |feed| feed.database.as_deref().is_none_or(|only| only == database))
    }

    /// Judges the values as written.
    pub(super) fn validate(raw: RawSequences, places: &ConfigLocations, now: SystemTime) -> Result<Self, ConfigError> {
        schedule::check(&raw.schedule, now)
            .map_err(|expected| places.invalid("sequences.schedule", display_or_hide(&raw.schedule), expected))?;
        let include = patterns(&raw.include, "sequences.include", places)?;
        if include.is_empty() {
            let expected = "at least one pattern, such as \"*.*\"";
            return Err(places.invalid("sequences.include", "an empty list", expected));
        }
        Ok(Self {
            schedule: raw.schedule,
            listen_notify: raw.listen_notify,
            repair: raw.repair,
            include,
            exclude: patterns(&raw.exclude, "sequences.exclude", places)?,
            headroom: count(raw.headroom, "sequences.headroom", places)?,
            advance_limit: count(raw.advance_limit, "sequences.advance_limit", places)?,
            max_repair_ratio: ratio(raw.max_repair_ratio, "sequences.max_repair_ratio", places)?,
            lock_timeout: timeout(&raw.lock_timeout, "sequences.lock_timeout", places)?,
            statement_timeout: timeout(&raw.statement_timeout, "sequences.statement_timeout", places)?,
            full_pass_every: at_least_one(raw.full_pass_every, "sequences.full_pass_every", places)?,
            feeds: feeds(raw.feeds, places)?,
        })
    }
}

fn patterns(texts: &[String], key: &str, places: &ConfigLocations) -> Result<Vec<Pattern>, ConfigError> {
    let mut patterns = Vec::with_capacity(texts.len());
    for (index, text) in texts.iter().enumerate() {
        let pattern = text.parse().map_err(|problem| {
            places.invalid(
                format!("{key}[{index}]"),
                display_with_problem(text, &problem),
                "schema.sequence with * and ? as wildcards, such as \"public.*\" (quote a part that holds a dot)",
            )
        })?;
        patterns.push(pattern);
    }
    Ok(patterns)
}

fn feeds(written: Vec<RawFeed>, places: &ConfigLocations) -> Result<Vec<DeclaredFeed>, ConfigError> {
    let mut feeds: Vec<DeclaredFeed> = Vec::with_capacity(written.len());
    let mut declared = HashMap::new();
    for (index, raw) in written.into_iter().enumerate() {
        let key = format!("sequences.feeds[{index}]");
        let sequence = name(raw.sequence, &key, "sequence", "schema.sequence", places)?;
        let column: ColumnName = name(raw.column, &key, "column", "schema.table.column", places)?;
        if let Some(other) = declared.insert((raw.database.clone(), column.clone()), index) {
            return Err(places.invalid(
                format!("{key}.column"),
                format!("{}, declared in sequences.feeds[{other}] too", display_or_hide(&column.to_string())),
                "each column to be declared once",
            ));
        }
        feeds.push(DeclaredFeed { sequence, column, database: raw.database });
    }
    Ok(feeds)
}

fn name<N: FromStr<Err = NameError>>(
    written: Option<String>,
    feed: &str,
    part: &str,
    form: &str,
    places: &ConfigLocations,
) -> Result<N, ConfigError> {
    let Some(text) = written else {
        return Err(places.invalid(feed, format!("no `{part}`"), format!("`{part}` as {form}")));
    };
    text.parse().map_err(|problem| {
        let expected = format!("{form} in SQL spelling (the schema is never guessed; quote capitals and dots)");
        places.invalid(format!("{feed}.{part}"), display_with_problem(&text, &problem), expected)
    })
}
