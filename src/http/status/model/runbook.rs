//! The runbook of a finding. The agent serves it, because its host may reach no other site.

use crate::report::{Level, Outcome, SequenceReport, Verdict};

/// A document of `docs/runbooks/`.
#[derive(Debug, PartialEq, Eq)]
pub struct Runbook {
    /// As in the link's text.
    pub title: &'static str,
    /// The file's name, without its type: the name of the alert.
    pub name: &'static str,
    pub text: &'static str,
}

macro_rules! runbooks {
    ($($constant:ident: $title:literal, $name:literal, $text:expr;)*) => {
        $(pub static $constant: Runbook = Runbook {
            title: $title,
            name: $name,
            text: $text,
        };)*
        /// All that the page links to.
        pub static ALL: &[&Runbook] = &[$(&$constant),*];
    };
}

runbooks! {
    BEHIND: "sequence behind", "PgmedicSequenceBehind", include_str!("../../../../docs/runbooks/PgmedicSequenceBehind.md");
    HELD: "repair held", "PgmedicRepairHeld", include_str!("../../../../docs/runbooks/PgmedicRepairHeld.md");
    FAILING: "repair failing", "PgmedicRepairFailing", include_str!("../../../../docs/runbooks/PgmedicRepairFailing.md");
    EXHAUSTED: "sequence exhausted", "PgmedicSequenceExhausted", include_str!("../../../../docs/runbooks/PgmedicSequenceExhausted.md");
    NEAR_EXHAUSTION: "sequence near exhaustion", "PgmedicSequenceNearExhaustion", include_str!("../../../../docs/runbooks/PgmedicSequenceNearExhaustion.md");
    UNREADABLE: "sequence unreadable", "PgmedicSequenceUnreadable", include_str!("../../../../docs/runbooks/PgmedicSequenceUnreadable.md");
    UNREACHABLE: "database unreachable", "PgmedicDatabaseUnreachable", include_str!("../../../../docs/runbooks/PgmedicDatabaseUnreachable.md");
    STALE: "pass stale", "PgmedicPassStale", include_str!("../../../../docs/runbooks/PgmedicPassStale.md");
    SESSIONS_HELD: "sweep held", "PgmedicSessionsHeld", include_str!("../../../../docs/runbooks/PgmedicSessionsHeld.md");
    SESSIONS_BACKLOG: "sessions are not ended", "PgmedicSessionsBacklogGrowing", include_str!("../../../../docs/runbooks/PgmedicSessionsBacklogGrowing.md");
    RELOAD: "configuration refused", "PgmedicConfigReloadFailed", include_str!("../../../../docs/runbooks/PgmedicConfigReloadFailed.md");
}

/// Of a sequence that needs attention.
pub fn of_sequence(sequence: &SequenceReport) -> Option<&'static Runbook> {
    Some(match (Level::of(sequence), sequence.verdict, sequence.outcome()) {
        (_, Verdict::Exhausted, _) => &EXHAUSTED,
        (_, Verdict::Behind, Some(Outcome::Held)) => &HELD,
        (_, Verdict::Behind, Some(Outcome::Failed)) => &FAILING,
        (Level::Failing, ..) => &BEHIND,
        (_, Verdict::Unreadable, _) => &UNREADABLE,
        (Level::Soon, ..) => &NEAR_EXHAUSTION,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_and_says_what_to_do_first() {
        for runbook in ALL {
            assert!(runbook.text.starts_with(&format!("# {}\n\nFirst command: ", runbook.name)), "{}", runbook.name);
        }
    }
}
