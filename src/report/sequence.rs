//! One sequence in the report: what was found, and its repair.

use super::Evidence;
use super::repair::{Outcome, RepairReport};
use pgmedic_core::sequence::{FeedReport, HoldReason};
use pgmedic_core::{Fix, Reason, ReasonKind};
use serde::Serialize;
use std::sync::Arc;

/// One sequence: what was found before any repair, and the repair. What most sequences do not have is boxed, because there may
/// be many thousands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SequenceReport {
    /// Schema-qualified, quoted where SQL would quote it.
    pub name: Arc<str>,
    pub feeds: Box<[FeedReport]>,
    /// What `nextval` would have returned.
    pub next_value: Option<i64>,
    /// The furthest id found that the sequence itself could produce.
    pub max_id: Option<i64>,
    /// The first taken id at or beyond the next value, where one was looked for.
    pub nearest_id: Option<i64>,
    /// The ids ahead that are too far away to be passed without approval.
    pub far_ids: Option<Box<FarIds>>,
    /// The last value that it can hand out and every fed column, and what references it, can hold.
    pub limit: Option<i64>,
    /// What sets the limit: the sequence or a column, by name; or `max_id`.
    pub limited_by: Option<Arc<str>>,
    pub verdict: Verdict,
    /// Values that would still be handed out up to the end of the block that it would run into.
    pub lag: Option<u128>,
    /// Share of the range up to the limit that is used, 0 to 1.
    pub used_ratio: Option<f64>,
    /// `sequences.warn_used_ratio` of the range or more is used, and a value is left.
    pub running_out: bool,
    /// Days until the limit is reached at the present pace; none where no pace is known.
    pub days_left: Option<f64>,
    /// The `[[sequences.rules]]` entry that applies, by its pattern.
    pub rule: Option<Box<str>>,
    /// A rule says to observe it and never to alert.
    #[serde(skip)]
    pub observed_only: bool,
    /// `sequences.fail_used_ratio` of its range is used, after the repair if there was one.
    #[serde(skip)]
    pub nearly_used_up: bool,
    pub cause: Option<Cause>,
    /// Who was behind it, as the server told when it was first seen; none where nothing was asked.
    pub evidence: Option<Box<Evidence>>,
    /// Why the verdict is what it is.
    pub reason: Option<Box<Reason>>,
    /// Further reasons, such as links that do not count.
    pub notes: Vec<Reason>,
    /// Likely links of an unlinked sequence, as `[[sequences.feeds]]` tables to paste.
    pub suggested_feeds: Option<Box<str>>,
    pub repair: Option<Box<RepairReport>>,
}

/// Ids that no insert meets soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FarIds {
    /// Exact up to 10 000, which stands for at least so many; none where they were not counted.
    pub count: Option<u64>,
    pub from: i64,
    pub to: Option<i64>,
    /// Free values before the first of them.
    pub distance: u128,
}

/// What was found before repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    InSync,
    Behind,
    /// No value is left before the limit.
    Exhausted,
    /// Not read: `reason`.
    Unreadable,
    /// Cannot be judged, by its nature: `reason`.
    Unsupported,
    /// Feeds no column that can be known.
    Unlinked,
}

/// Why a sequence drifted, by comparing with the pass before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The sequence itself moved back.
    Rewound,
    /// Ids were inserted at or past its next value.
    IdsInserted,
    /// First sight: there is no pass before to compare with.
    Unknown,
}

impl SequenceReport {
    /// A finding of which nothing was read.
    pub fn new(name: impl Into<Arc<str>>, feeds: Vec<FeedReport>, verdict: Verdict) -> Self {
        Self {
            name: name.into(),
            feeds: feeds.into(),
            next_value: None,
            max_id: None,
            nearest_id: None,
            far_ids: None,
            limit: None,
            limited_by: None,
            verdict,
            lag: None,
            used_ratio: None,
            running_out: false,
            days_left: None,
            rule: None,
            observed_only: false,
            nearly_used_up: false,
            cause: None,
            evidence: None,
            reason: None,
            notes: Vec::new(),
            suggested_feeds: None,
            repair: None,
        }
    }

    /// Adds a reason: the first one says why the verdict is what it is.
    pub fn add_reason(&mut self, reason: Reason) {
        match self.reason {
            None => self.reason = Some(Box::new(reason)),
            Some(_) => self.notes.push(reason),
        }
    }

    /// Share of the range that is used after the pass, 0 to 1.
    pub fn used_after_pass(&self) -> Option<f64> {
        self.repair.as_ref().and_then(|repair| repair.used_ratio).or(self.used_ratio)
    }

    /// What `nextval` would return after the pass.
    pub fn next_value_after_pass(&self) -> Option<i64> {
        self.repair.as_ref().and_then(|repair| repair.next_value).or(self.next_value)
    }

    /// Which guard holds its repair, or keeps it from going further.
    pub fn held_by(&self) -> Option<HoldReason> {
        self.repair.as_ref().and_then(|repair| repair.held_by)
    }

    /// Who was behind its drift, in words; none where that was not asked, or not told.
    pub fn who(&self) -> Option<String> {
        self.evidence.as_ref().and_then(|evidence| evidence.text())
    }

    /// The outcome of its repair, when it owed one.
    pub fn outcome(&self) -> Option<Outcome> {
        self.repair.as_ref().map(|repair| repair.outcome)
    }

    /// Whether the finding stays true for as long as nothing is done in the database. What needs attention may change without
    /// that: a lock or a privilege goes away.
    pub fn is_settled(&self) -> bool {
        matches!(self.verdict, Verdict::InSync | Verdict::Unsupported | Verdict::Unlinked)
    }

    /// Whether a person still has to act, or an insert may fail.
    pub fn needs_attention(&self) -> bool {
        if self.observed_only {
            return false;
        }
        let of_verdict = match self.verdict {
            Verdict::InSync => false,
            // Drift that was seen in a column that does not count.
            Verdict::Unsupported | Verdict::Unlinked => self.lag.is_some_and(|lag| lag > 0),
            Verdict::Exhausted | Verdict::Unreadable => true,
            Verdict::Behind => self.outcome() != Some(Outcome::Repaired) || self.held_by().is_some(),
        };
        of_verdict || self.meets_taken_ids()
    }

    /// Whether values that it hands out, as the pass left it, make ids that are taken in a column that it is not moved for.
    pub fn meets_taken_ids(&self) -> bool {
        !self.observed_only && self.reasons().any(|reason| reason.kind == ReasonKind::IdTaken)
    }

    /// Why it stands before a next value that is remembered, though no id is in its way; none where that is not so.
    pub fn set_back(&self) -> Option<&Reason> {
        let in_sync = self.verdict == Verdict::InSync && self.cause == Some(Cause::Rewound);
        self.reasons().find(|reason| in_sync && reason.kind == ReasonKind::Rewound)
    }

    /// Whether a column that it feeds is only a part of a primary key, so that an insert of a taken id may fail.
    pub fn feeds_part_of_key(&self) -> bool {
        self.reasons().any(|reason| reason.kind == ReasonKind::PartOfKey)
    }

    /// Whether a person should look at it: now, or before its range ends.
    pub fn needs_a_look(&self) -> bool {
        self.needs_attention() || self.running_out
    }

    /// Whether all is well but for a range that ends soon.
    pub fn is_only_running_out(&self) -> bool {
        self.running_out && !self.needs_attention()
    }

    /// The `[[sequences.feeds]]` tables that its reasons propose.
    pub fn feeds_to_declare(&self) -> impl Iterator<Item = &str> {
        self.reasons().filter_map(|reason| match &reason.fix {
            Some(Fix::Configuration(toml)) => Some(toml.as_str()),
            _ => None,
        })
    }

    /// Makes the commands that approve its repair complete, where several databases are configured.
    pub fn name_database(&mut self, database: &str) {
        let of_repair = self.repair.as_mut().and_then(|repair| repair.reason.as_mut());
        self.reason
            .as_deref_mut()
            .into_iter()
            .chain(&mut self.notes)
            .chain(of_repair)
            .for_each(|reason| reason.name_database(database));
    }

    /// All reasons, those of its repair last.
    pub fn reasons(&self) -> impl Iterator<Item = &Reason> {
        let of_repair = self.repair.as_ref().and_then(|repair| repair.reason.as_ref());
        self.reason.as_deref().into_iter().chain(&self.notes).chain(of_repair)
    }
}

impl Verdict {
    /// As in the JSON report.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Behind => "behind",
            Self::Exhausted => "exhausted",
            Self::Unreadable => "unreadable",
            Self::Unsupported => "unsupported",
            Self::Unlinked => "unlinked",
        }
    }
}

impl Cause {
    /// The opposite of [`Self::word`].
    pub fn of_word(word: &str) -> Option<Self> {
        [Self::Rewound, Self::IdsInserted, Self::Unknown].into_iter().find(|cause| cause.word() == word)
    }

    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Rewound => "rewound",
            Self::IdsInserted => "ids_inserted",
            Self::Unknown => "unknown",
        }
    }
}
