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
    ($($constant:ident: $title:literal, $name:literal;)*) => {
        $(pub static $constant: Runbook = Runbook {
            title: $title,
            name: $name,
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/runbooks/", $name, ".md")),
        };)*
        /// All that the page links to.
        pub static ALL: &[&Runbook] = &[$(&$constant),*];
    };
}

runbooks! {
    BEHIND: "sequence behind", "PgmedicSequenceBehind";
    HELD: "repair held", "PgmedicRepairHeld";
    FAILING: "repair failing", "PgmedicRepairFailing";
    EXHAUSTED: "sequence exhausted", "PgmedicSequenceExhausted";
    NEAR_EXHAUSTION: "sequence near exhaustion", "PgmedicSequenceNearExhaustion";
    UNREADABLE: "sequence unreadable", "PgmedicSequenceUnreadable";
    UNREACHABLE: "database unreachable", "PgmedicDatabaseUnreachable";
    STALE: "pass stale", "PgmedicPassStale";
    SESSIONS_HELD: "sweep held", "PgmedicSessionsHeld";
    SESSIONS_BACKLOG: "sessions are not ended", "PgmedicSessionsBacklogGrowing";
    RELOAD: "configuration refused", "PgmedicConfigReloadFailed";
    AGENT_DOWN: "agent down", "PgmedicAgentDown";
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
