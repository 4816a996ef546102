//! The `[sequences]` section: which sequences are checked, when, and how far they are repaired.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::report::DatabaseLabel;
use pgmedic_core::Timeouts;

use super::environment::Environment;
use super::error::{ConfigError, display_or_hide};
use super::feeds::{DeclaredFeed, feeds};
use super::keys::{WrittenRule, WrittenSequences};
use super::layers::{ConfigLocations, Layers};
use super::pattern::Pattern;
use super::schedule::Schedule;
use super::values::{at_least_one, count, display_with_problem, ratio, timeout};

/// Which sequences to check, when, and how far to repair them.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences {
    /// When to run a pass.
    pub schedule: Schedule,
    /// Whether `NOTIFY pgmedic` starts a pass.
    pub listen_notify: bool,
    /// Whether to repair drift, or only to report it.
    pub repair: bool,
    /// Check the sequences that match any of these …
    pub include: Vec<Pattern>,
    /// … and none of these.
    pub exclude: Vec<Pattern>,
    /// Values to leave unused beyond the max id when repairing.
    pub headroom: u32,
    /// The largest lag, in values, that is repaired with `nextval` (advance).
    pub advance_limit: u32,
    /// The largest share of a sequence's range, in (0, 1], that ids may lie apart and still be passed together, and that
    /// lies before ids that are passed early.
    pub max_repair_ratio: f64,
    /// The share of its range from which a sequence is reported as running out.
    pub warn_used_ratio: f64,
    /// The share of its range from which a one-shot run says that problems remain.
    pub fail_used_ratio: f64,
    /// How long a statement waits for a lock; whole milliseconds.
    pub lock_timeout: Duration,
    /// How long a statement runs; whole milliseconds.
    pub statement_timeout: Duration,
    /// In every so many passes, an agent reads unchanged tables and sequences too; at least 1.
    pub full_pass_every: u32,
    /// Links that the catalog does not record.
    pub feeds: Vec<DeclaredFeed>,
    /// Lasting decisions about some sequences; the first that matches counts.
    pub rules: Vec<SequenceRule>,
}

/// What is different for the sequences that a pattern matches.
#[derive(Debug, Clone, PartialEq)]
pub struct SequenceRule {
    pub pattern: Pattern,
    /// Whether to repair drift; false: observe only, and never alert.
    pub repair: bool,
    /// Ids beyond are not the sequence's: not counted, and a limit.
    pub max_id: Option<i64>,
    /// Instead of the headroom of the section.
    pub headroom: Option<u32>,
}

impl SequenceRule {
    /// That it applies to no sequence.
    pub fn unused(&self) -> String {
        format!("sequences.rules: match = \"{}\" applies to no sequence; correct it, or remove the rule", self.pattern)
    }
}

impl Sequences {
    /// Whether the sequence is checked. Names as PostgreSQL stores them, without quotes.
    pub fn covers(&self, schema: &str, sequence: &str) -> bool {
        let any = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(schema, sequence));
        any(&self.include) && !any(&self.exclude)
    }

    /// The rule for the sequence. Names as PostgreSQL stores them, without quotes.
    pub fn rule(&self, schema: &str, sequence: &str) -> Option<&SequenceRule> {
        self.rules.iter().find(|rule| rule.pattern.matches(schema, sequence))
    }

    /// The timeouts of its statements.
    pub fn bounds(&self) -> Timeouts {
        Timeouts { lock: self.lock_timeout, statement: self.statement_timeout }
    }

    /// The declared feeds that concern the database of this configured name.
    pub fn feeds_in<'a>(&'a self, database: &'a DatabaseLabel) -> impl Iterator<Item = &'a DeclaredFeed> {
        self.feeds.iter().filter(move |feed| feed.database.as_deref().is_none_or(|only| database.is_meant_by(only)))
    }

    /// Loads this section only, for `pgmedic cutover`, whose databases the command line names.
    ///
    /// # Errors
    ///
    /// As [`Settings::load`](super::Settings::load), but for the values of the other sections.
    pub fn load(file: Option<&Path>, environment: &Environment, now: SystemTime) -> Result<Self, ConfigError> {
        let Layers { written, locations } = Layers::load(file, environment)?;
        Self::validate(&written.sequences, &locations, now)
    }

    /// The same section for every sequence of a database, whichever ones `include` and `exclude` leave out.
    #[must_use]
    pub fn for_all(self) -> Self {
        Self { include: vec![Pattern::all()], exclude: Vec::new(), ..self }
    }

    /// Checks the values of the section.
    pub(super) fn validate(
        written: &WrittenSequences,
        locations: &ConfigLocations,
        now: SystemTime,
    ) -> Result<Self, ConfigError> {
        let schedule = Schedule::parse(&written.schedule, now).map_err(|expected| {
            locations.invalid("sequences.schedule", display_or_hide(&written.schedule), expected.to_string())
        })?;
        let include = patterns(&written.include, "sequences.include", locations)?;
        if include.is_empty() {
            let expected = "at least one pattern, such as \"*.*\"";
            return Err(locations.invalid("sequences.include", "an empty list", expected));
        }
        let section = Self {
            schedule,
            listen_notify: written.listen_notify,
            repair: written.repair,
            include,
            exclude: patterns(&written.exclude, "sequences.exclude", locations)?,
            headroom: count(written.headroom, "sequences.headroom", locations)?,
            advance_limit: count(written.advance_limit, "sequences.advance_limit", locations)?,
            max_repair_ratio: ratio(written.max_repair_ratio, "sequences.max_repair_ratio", locations)?,
            warn_used_ratio: ratio(written.warn_used_ratio, "sequences.warn_used_ratio", locations)?,
            fail_used_ratio: ratio(written.fail_used_ratio, "sequences.fail_used_ratio", locations)?,
            lock_timeout: timeout(&written.lock_timeout, "sequences.lock_timeout", locations)?,
            statement_timeout: timeout(&written.statement_timeout, "sequences.statement_timeout", locations)?,
            full_pass_every: at_least_one(written.full_pass_every, "sequences.full_pass_every", locations)?,
            feeds: feeds(&written.feeds, locations)?,
            rules: rules(&written.rules, locations)?,
        };
        section.check_left_out(locations)?;
        Ok(section)
    }

    /// A declared feed of a sequence that is left out would never be looked at.
    fn check_left_out(&self, locations: &ConfigLocations) -> Result<(), ConfigError> {
        let names = self.feeds.iter().enumerate().filter_map(|(index, feed)| Some((index, feed.names()?.0)));
        for (index, sequence) in names {
            if !self.covers(&sequence.schema, &sequence.name) {
                return Err(locations.invalid(
                    format!("sequences.feeds[{index}].sequence"),
                    format!(
                        "{}, which sequences.include and exclude leave out",
                        display_or_hide(&sequence.to_string())
                    ),
                    "a sequence that is checked, or no such entry",
                ));
            }
        }
        Ok(())
    }
}

fn patterns(texts: &[String], key: &str, locations: &ConfigLocations) -> Result<Vec<Pattern>, ConfigError> {
    let texts = texts.iter().enumerate();
    texts.map(|(index, text)| pattern(text, format!("{key}[{index}]"), locations)).collect()
}

fn pattern(text: &str, key: String, locations: &ConfigLocations) -> Result<Pattern, ConfigError> {
    text.parse().map_err(|problem| {
        let expected =
            "schema.sequence with * and ? as wildcards, such as \"public.*\" (quote a part that holds a dot)";
        locations.invalid(key, display_with_problem(text, &problem), expected)
    })
}

fn rules(written: &[WrittenRule], locations: &ConfigLocations) -> Result<Vec<SequenceRule>, ConfigError> {
    let mut rules: Vec<SequenceRule> = Vec::with_capacity(written.len());
    for (index, rule) in written.iter().enumerate() {
        let key = format!("sequences.rules[{index}]");
        let Some(text) = &rule.r#match else {
            return Err(locations.invalid(key, "no `match`", "`match` as schema.sequence, with * and ? as wildcards"));
        };
        let pattern = pattern(text, format!("{key}.match"), locations)?;
        if let Some(earlier) = rules.iter().position(|rule| rule.pattern.to_string() == *text) {
            let found = format!("{}, as sequences.rules[{earlier}] has it, which decides", display_or_hide(text));
            return Err(locations.invalid(format!("{key}.match"), found, "each pattern once: the first match decides"));
        }
        if rule.repair.is_none() && rule.max_id.is_none() && rule.headroom.is_none() {
            return Err(locations.invalid(
                key,
                "a rule without effect",
                "`repair`, `max_id` or `headroom` besides `match`",
            ));
        }
        let headroom = rule.headroom.map(|values| count(values, &format!("{key}.headroom"), locations)).transpose()?;
        rules.push(SequenceRule { pattern, repair: rule.repair.unwrap_or(true), max_id: rule.max_id, headroom });
    }
    Ok(rules)
}
