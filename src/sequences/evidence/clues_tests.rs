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
