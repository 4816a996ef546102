//! Which sequence of NEW takes over from which of OLD, and where both stand.

use super::definitions::{compare, missing, other_class};
use super::report::{CarryOutcome, CarryReport};
use super::request::Request;
use super::sides::Side;
use super::target::{lead, position, spared};
use crate::sequences::read_states;
use pgmedic_core::sequence::model::Sequence;
use pgmedic_core::sequence::position::Position;
use pgmedic_core::{Reason, ReasonKind, TableName, Timeouts};
use std::collections::{HashMap, HashSet};

/// A sequence of OLD, and the one of NEW that takes over.
#[derive(Debug, Clone)]
pub struct Pair<'a> {
    pub old: &'a Sequence,
    /// The name that it should have.
    pub wanted: TableName,
    pub new: Option<&'a Sequence>,
}

/// Where both stand, or why that cannot be read; none where there is no sequence.
#[derive(Debug, Clone)]
pub struct Standing {
    pub old: Result<Position, Reason>,
    pub new: Option<Result<Position, Reason>>,
}

/// One pair for each sequence of `old`, by the qualified name.
pub fn pair<'a>(old: &'a [Sequence], new: &'a [Sequence], request: &Request) -> Vec<Pair<'a>> {
    let by_name: HashMap<(String, String), &Sequence> =
        new.iter().map(|sequence| (sequence.name_parts(), sequence)).collect();
    let pair = |old: &'a Sequence| {
        let (schema, name) = old.name_parts();
        let wanted = TableName { schema: request.map.of(&schema).to_owned(), name };
        let new = by_name.get(&(wanted.schema.clone(), wanted.name.clone())).copied();
        Pair { old, wanted, new }
    };
    old.iter().map(pair).collect()
}

/// Why the pairs cannot be meant: by the map, one sequence would take over from two.
pub fn shared(pairs: &[Pair<'_>]) -> Option<Reason> {
    let mut first: HashMap<&TableName, &Sequence> = HashMap::with_capacity(pairs.len());
    let (one, other, wanted) =
        pairs.iter().find_map(|pair| Some((first.insert(&pair.wanted, pair.old)?, pair.old, &pair.wanted)))?;
    let text = format!(
        "--map: both {} and {} of OLD would go to {wanted} of NEW, which cannot take over from two; nothing was done",
        one.name, other.name
    );
    Some(Reason::new(ReasonKind::Configuration, text))
}

/// A report for each pair, before anything is read or moved.
pub fn reports(pairs: &[Pair<'_>], others: &[Sequence], request: &Request) -> Vec<CarryReport> {
    let taken: HashSet<u32> = pairs.iter().filter_map(|pair| pair.new).map(|new| new.oid).collect();
    pairs.iter().map(|pair| report(pair, others, &taken, request)).collect()
}

fn report(pair: &Pair<'_>, others: &[Sequence], taken: &HashSet<u32>, request: &Request) -> CarryReport {
    let mut report = CarryReport {
        name: pair.wanted.to_string(),
        old_name: pair.old.name.to_string(),
        outcome: CarryOutcome::Ahead,
        old_next_value: None,
        next_value_before: None,
        next_value: None,
        max_id: None,
        headroom: None,
        reasons: Vec::new(),
        notes: Vec::new(),
        failure: None,
    };
    match pair.new {
        Some(new) => {
            let differences = compare(&pair.old.parameters, new);
            let decisive = if request.confirmed { &mut report.notes } else { &mut report.reasons };
            decisive.extend(differences.decisive);
            report.notes.extend(differences.harmless);
        }
        None => {
            report.outcome = CarryOutcome::Missing;
            report.reasons.push(missing(pair.old, &pair.wanted, others, taken, &request.map));
        }
    }
    report
}

/// Adds what only the positions show to `reports`: another residue class, which the same increment does not tell.
pub fn compare_classes(pairs: &[Pair<'_>], standings: &[Standing], request: &Request, reports: &mut [CarryReport]) {
    for ((pair, standing), report) in pairs.iter().zip(standings).zip(reports) {
        match pair.other_class(standing) {
            // Where it is moved all the same, the statement would be out of date.
            Some(reason) if request.confirmed => report.notes.push(Reason { fix: None, ..reason }),
            Some(reason) => report.hold(reason),
            None => {}
        }
    }
}

/// Reads where each pair stands.
pub async fn read_standings(old: &mut Side, new: &mut Side, timeouts: Timeouts, pairs: &[Pair<'_>]) -> Vec<Standing> {
    let of_old: Vec<&Sequence> = pairs.iter().map(|pair| pair.old).collect();
    let of_new: Vec<&Sequence> = pairs.iter().filter_map(|pair| pair.new).collect();
    let (from, to) = tokio::join!(
        read_states(&mut old.connections, &of_old, timeouts),
        read_states(&mut new.connections, &of_new, timeouts)
    );
    let mut to = of_new.into_iter().zip(to);
    let standing = |(pair, state): (&Pair<'_>, Result<_, Reason>)| Standing {
        old: state.map(|state| position(pair.old, state)),
        new: pair.new.and_then(|_| to.next()).map(|(sequence, state)| state.map(|state| position(sequence, state))),
    };
    pairs.iter().zip(from).map(standing).collect()
}

impl Standing {
    /// Both positions, where both were read.
    pub fn both(&self) -> Option<(&Position, &Position)> {
        Some((self.old.as_ref().ok()?, self.new.as_ref()?.as_ref().ok()?))
    }
}

impl Pair<'_> {
    /// Whether NEW hands out its values again, and has none to spare.
    pub fn cycles(&self) -> bool {
        self.new.is_some_and(|new| new.parameters.cycle)
    }

    /// Values of the headroom that the pair is to have: none where it cannot spare what is wanted.
    pub fn headroom(&self, wanted: u32, standing: &Standing) -> u32 {
        let (Some((old, at)), Some(new)) = (standing.both(), self.new) else { return wanted };
        if self.cycles() { 0 } else { spared(at, old.next(), new.parameters.increment, wanted) }
    }

    /// How many values lie between OLD's next value and NEW's.
    pub fn lead(&self, standing: &Standing) -> Option<i128> {
        let (old, new) = standing.both()?;
        Some(lead(new, old.next(), self.new?.parameters.increment))
    }

    /// Whether both count in the same direction.
    pub fn same_direction(&self) -> bool {
        self.new.is_none_or(|new| (new.parameters.increment > 0) == (self.old.parameters.increment > 0))
    }

    /// That NEW hands out other values than OLD with the same increment.
    fn other_class(&self, standing: &Standing) -> Option<Reason> {
        let ((old, at), new) = (standing.both()?, self.new?);
        if new.parameters.increment != self.old.parameters.increment {
            return None;
        }
        other_class(old, at, new)
    }

    /// Whether NEW may be moved: both count in the same direction, and by the same values unless `confirmed`.
    pub fn is_carried(&self, standing: &Standing, confirmed: bool) -> bool {
        self.same_direction() && (confirmed || self.other_class(standing).is_none())
    }

    /// Puts what was read into the report.
    pub fn record(&self, standing: &Standing, report: &mut CarryReport) {
        let value = |next: i128| i64::try_from(next).ok();
        report.old_next_value = standing.old.as_ref().ok().and_then(|old| value(old.next()));
        let Some(Ok(new)) = &standing.new else { return };
        report.next_value = value(new.next());
        report.next_value_before = report.next_value_before.or(report.next_value);
        report.headroom = self.lead(standing).and_then(|lead| i64::try_from(lead).ok());
    }

    /// Puts why something could not be read into the report.
    pub fn record_unreadable(&self, standing: &Standing, report: &mut CarryReport) {
        let sides = [("OLD", Some(&standing.old)), ("NEW", standing.new.as_ref())];
        for (word, read) in sides {
            if let Some(Err(reason)) = read {
                report.outcome = CarryOutcome::Unreadable;
                let reason = reason.clone().while_doing(&format!("its state in {word} cannot be read"));
                report.add_reason(reason);
            }
        }
        if !self.same_direction() {
            let text =
                "OLD counts in the other direction than NEW, so nothing says which values are beyond: it is not moved";
            report.hold(Reason::new(ReasonKind::Definition, text));
        }
    }
}
