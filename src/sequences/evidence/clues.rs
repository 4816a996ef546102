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
mod tests {
    use super::*;

    fn clue(kind: StatementKind, role: &str, source: EvidenceSource) -> Clue {
        let of_session = source == EvidenceSource::PgStatActivity;
        Clue {
            kind,
            certain: true,
            role: role.to_owned(),
            application: of_session.then(|| "psql".to_owned()),
            client_address: of_session.then(|| "[local]".to_owned()),
            calls: (!of_session).then_some(3),
            source,
        }
    }

    fn told(clues: impl IntoIterator<Item = Clue>, cause: Cause) -> Evidence {
        let mut all = Clues::default();
        clues.into_iter().for_each(|clue| all.add(clue));
        all.evidence(cause, None)
    }

    use EvidenceSource::{PgStatActivity, PgStatStatements};
    use StatementKind::{Copy, Insert, Restore, Setval};

    #[test]
    fn what_statistics_tell_of_a_known_session_is_added_to_it() {
        let evidence = told(
            [
                clue(Restore, "a", PgStatActivity),
                clue(Insert, "b", PgStatActivity),
                clue(Copy, "a", PgStatStatements),
                clue(Insert, "b", PgStatStatements),
                clue(Insert, "b", PgStatStatements),
            ],
            Cause::Unknown,
        );
        let seen: Vec<_> = evidence.statements.iter().map(|clue| (clue.kind, clue.calls)).collect();
        assert_eq!(seen, [(Insert, Some(6)), (Restore, Some(3))]);
    }

    #[test]
    fn only_what_can_explain_the_cause_is_named() {
        let unknown = Clue { certain: false, ..clue(Setval, "c", PgStatStatements) };
        let all = [clue(Insert, "a", PgStatStatements), clue(Setval, "b", PgStatStatements), unknown];
        let roles = |cause| told(all.clone(), cause).statements.into_iter().map(|clue| clue.role).collect::<Vec<_>>();
        assert_eq!(roles(Cause::Rewound), ["b", "c"]);
        assert_eq!(roles(Cause::IdsInserted), ["a", "b"]);
        assert_eq!(roles(Cause::Unknown), ["b", "a", "c"]);
    }

    #[test]
    fn many_are_counted() {
        let evidence = told((0..7).map(|n| clue(Insert, &format!("r{n}"), PgStatStatements)), Cause::Unknown);
        assert_eq!((evidence.statements.len(), evidence.more), (4, 3));
    }
}
