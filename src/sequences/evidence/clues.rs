//! What was told of one sequence, merged and ordered. Pure.

use crate::report::{Cause, Evidence, EvidenceSource, EvidenceStatement};
use pgmedic_core::Reason;
use pgmedic_core::evidence::StatementKind;

/// A statement that may be behind the drift.
pub type Clue = EvidenceStatement;

/// Statements in a finding; the others are counted.
const MOST: usize = 4;

#[derive(Debug, Clone, Default)]
pub struct Clues(Vec<Clue>);

impl Clues {
    /// Adds a clue. Those of one kind, role and place are one; what sessions told goes before what statistics tell.
    pub fn add(&mut self, clue: Clue) {
        let of_statistics = clue.source == EvidenceSource::PgStatStatements;
        let same = self.0.iter_mut().find(|known| {
            let place = (&known.application, &known.client_address) == (&clue.application, &clue.client_address);
            let kind = known.kind == clue.kind || known.kind == StatementKind::Restore && of_statistics;
            known.role == clue.role && known.certain == clue.certain && kind && (of_statistics || place)
        });
        match (same, clue.calls) {
            (Some(known), Some(calls)) => known.calls = Some(known.calls.unwrap_or(0).saturating_add(calls)),
            (Some(_), None) => {}
            (None, _) => self.0.push(clue),
        }
    }

    /// What can explain the cause, the most telling first.
    pub fn evidence(self, cause: Cause, reason: Option<Reason>) -> Evidence {
        let explains = |clue: &Clue| match cause {
            Cause::Rewound => clue.kind.moves_sequence() || clue.kind == StatementKind::Restore,
            // A sequence that went on since the pass before may have been set back too, but not by a statement that may have
            // set any other one.
            Cause::IdsInserted => clue.certain || !clue.kind.moves_sequence(),
            Cause::Unknown => true,
        };
        let mut statements: Vec<Clue> = self.0.into_iter().filter(explains).collect();
        let wrote = |clue: &Clue| cause == Cause::IdsInserted && clue.kind.moves_sequence();
        statements.sort_by(|a, b| {
            let rank = |clue: &Clue| (!clue.certain, wrote(clue), clue.source, clue.kind);
            rank(a).cmp(&rank(b)).then_with(|| a.role.cmp(&b.role))
        });
        let more = statements.len().saturating_sub(MOST);
        statements.truncate(MOST);
        Evidence { statements, more, reason }
    }
}

#[cfg(test)]
#[path = "clues_tests.rs"]
mod tests;
