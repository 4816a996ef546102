//! What a cutover found and did. The JSON form is a contract: docs/report.md describes every field.

use crate::build_info;
use crate::report::ExitCode;
use pgmedic_core::Reason;
use serde::Serialize;

/// Version of the JSON form, as of the report of a pass.
const SCHEMA: u32 = 2;

/// Whether writers may move from the one database to the other, and what was done for it.
#[derive(Debug, Serialize)]
pub struct CutoverReport {
    schema: u32,
    version: &'static str,
    pub verdict: Verdict,
    /// What stands against it, sequences aside.
    pub reasons: Vec<Reason>,
    /// What a person should know, and what stands against nothing.
    pub notes: Vec<Reason>,
    pub from: SideReport,
    pub to: SideReport,
    /// Values to be left unused.
    pub headroom: u32,
    pub subscriptions: Vec<SubscriptionReport>,
    /// What happened while NEW was kept ahead; none without `--watch`.
    pub watch: Option<WatchReport>,
    pub sequences: Vec<CarryReport>,
    pub summary: Summary,
    pub duration_seconds: f64,
}

/// The answer to the question whether writers may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every sequence of NEW is beyond everything that OLD handed out, and nothing else stands against it.
    Ready,
    /// A person has to act first.
    NotReady,
    /// The work could not be completed.
    Incomplete,
    /// Nothing was changed, because the two databases cannot be meant.
    Refused,
}

/// One of the two databases.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SideReport {
    pub database: String,
    /// None when it was never reached.
    pub server_version: Option<String>,
}

/// A subscription of NEW.
#[derive(Debug, Clone, Serialize)]
pub struct SubscriptionReport {
    pub name: String,
    /// `logical` or `pglogical`.
    pub kind: &'static str,
    pub enabled: bool,
    pub slot: Option<String>,
    /// Whether it receives; none where that is not known.
    pub working: Option<bool>,
    pub unready_tables: i64,
    /// Three of them at most.
    #[serde(skip)]
    pub unready_names: Option<String>,
    /// Whether its slot is on OLD; none where the slots of OLD cannot be read.
    pub from_old: Option<bool>,
    /// Bytes of OLD's log that it has not confirmed.
    pub lag_bytes: Option<i64>,
    /// The same, of what was written before the run.
    #[serde(skip)]
    pub behind_mark: Option<i64>,
}

/// What happened while NEW was kept ahead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct WatchReport {
    /// How often both databases were looked at.
    pub looks: u64,
    /// How many moves these looks made.
    pub moves: u64,
    /// How many looks found a sequence with less than half of its headroom.
    pub below_half: u64,
    /// The fewest values that a look found unused.
    pub lowest_headroom: Option<i64>,
}

/// One sequence of OLD, and the one of NEW that takes over.
#[derive(Debug, Clone, Serialize)]
pub struct CarryReport {
    /// In NEW, quoted where SQL would quote it.
    pub name: String,
    /// In OLD.
    pub old_name: String,
    pub outcome: CarryOutcome,
    /// The next value in OLD, as it was read last.
    pub old_next_value: Option<i64>,
    /// The next value in NEW before anything was done.
    pub next_value_before: Option<i64>,
    /// The next value in NEW, as it was read last.
    pub next_value: Option<i64>,
    /// The furthest id in NEW that the sequence could produce.
    pub max_id: Option<i64>,
    /// Values between the next value in OLD and the one in NEW; negative where NEW is not beyond.
    pub headroom: Option<i64>,
    /// What stands against a cutover.
    pub reasons: Vec<Reason>,
    pub notes: Vec<Reason>,
    /// Why the last move failed; one of the reasons in the end, unless a later move succeeded.
    #[serde(skip)]
    pub failure: Option<Reason>,
}

impl CarryReport {
    /// Each reason once, however often it was met.
    pub fn add_reason(&mut self, reason: Reason) {
        if !self.reasons.contains(&reason) {
            self.reasons.push(reason);
        }
    }

    /// A difference stands against a cutover unless a person has confirmed that it is meant.
    pub fn differ(&mut self, difference: Reason, confirmed: bool) {
        if confirmed { &mut self.notes } else { &mut self.reasons }.push(difference);
    }

    /// It is not moved until a person acts.
    pub fn hold(&mut self, reason: Reason) {
        self.outcome = CarryOutcome::Held;
        self.add_reason(reason);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CarryOutcome {
    /// It could not be moved.
    Failed,
    /// It is not moved until a person acts.
    Held,
    /// One of the two could not be read.
    Unreadable,
    /// NEW has none.
    Missing,
    /// It was moved forward.
    Carried,
    /// It was there already.
    Ahead,
}

/// How many sequences came to which outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    pub sequences: u64,
    pub carried: u64,
    pub ahead: u64,
    pub missing: u64,
    pub unreadable: u64,
    pub held: u64,
    pub failed: u64,
    /// Of any outcome, with a reason against the cutover.
    pub with_reasons: u64,
}

impl CutoverReport {
    pub fn new(from: SideReport, to: SideReport, headroom: u32) -> Self {
        Self {
            schema: SCHEMA,
            version: build_info::VERSION,
            verdict: Verdict::Incomplete,
            reasons: Vec::new(),
            notes: Vec::new(),
            from,
            to,
            headroom,
            subscriptions: Vec::new(),
            watch: None,
            sequences: Vec::new(),
            summary: Summary::default(),
            duration_seconds: 0.0,
        }
    }

    /// The two databases cannot be meant, for this reason.
    pub fn refuse(&mut self, reason: Reason) {
        self.reasons = vec![reason];
        self.verdict = Verdict::Refused;
    }

    /// The work stopped here, for this reason.
    pub fn stop(&mut self, reason: Reason) {
        self.reasons.insert(0, reason);
        self.verdict = Verdict::Incomplete;
        self.summary = Summary::of(&self.sequences);
    }

    /// Counts, and decides.
    pub fn conclude(&mut self) {
        self.summary = Summary::of(&self.sequences);
        self.verdict = if self.summary.failed > 0 {
            Verdict::Incomplete
        } else if self.summary.with_reasons > 0 || !self.reasons.is_empty() {
            Verdict::NotReady
        } else {
            Verdict::Ready
        };
    }
}

impl Verdict {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::NotReady => "not ready",
            Self::Incomplete => "incomplete",
            Self::Refused => "refused",
        }
    }

    /// The exit code, as of `--once`; none for bad usage.
    pub fn exit_code(self) -> Option<ExitCode> {
        match self {
            Self::Ready => Some(ExitCode::Success),
            Self::NotReady => Some(ExitCode::ProblemsRemain),
            Self::Incomplete => Some(ExitCode::Incomplete),
            Self::Refused => None,
        }
    }
}

impl CarryOutcome {
    /// As in the JSON report.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Held => "held",
            Self::Unreadable => "unreadable",
            Self::Missing => "missing",
            Self::Carried => "carried",
            Self::Ahead => "ahead",
        }
    }
}

impl Summary {
    fn of(sequences: &[CarryReport]) -> Self {
        let mut summary = Self::default();
        for sequence in sequences {
            summary.sequences += 1;
            summary.with_reasons += u64::from(!sequence.reasons.is_empty());
            *match sequence.outcome {
                CarryOutcome::Carried => &mut summary.carried,
                CarryOutcome::Ahead => &mut summary.ahead,
                CarryOutcome::Missing => &mut summary.missing,
                CarryOutcome::Unreadable => &mut summary.unreadable,
                CarryOutcome::Held => &mut summary.held,
                CarryOutcome::Failed => &mut summary.failed,
            } += 1;
        }
        summary
    }
}
