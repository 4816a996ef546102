//! What of a report is worth a line in the log.

use crate::report::{Cause, Outcome, SequenceReport, Verdict};
use pgmedic_core::Reason;
use tracing::Level;

/// Something that may be worth a line in the log.
pub struct Fact {
    pub level: Level,
    /// What makes it news: a fact of the same kind is not logged again.
    pub kind: String,
    pub text: String,
}

/// What is worth a line about a sequence, if anything. Its kind is that of the reason, beside the verdict or outcome.
pub fn describe(sequence: &SequenceReport) -> Option<Fact> {
    let name = &sequence.name;
    let fact = |level, word: &str, what: &str, reason: Option<&Reason>| {
        let because = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let kind = format!("{word} {:?}", reason.map(|reason| reason.kind));
        let who = sequence.who().map_or_else(String::new, |who| format!("; {who}"));
        Some(Fact { level, kind, text: format!("{name} {what}{because}{who}") })
    };
    let Some(repair) = &sequence.repair else {
        let word = sequence.verdict.as_str();
        return match sequence.verdict {
            Verdict::Exhausted | Verdict::Unreadable => {
                fact(Level::WARN, word, &format!("is {word}"), sequence.reason.as_deref())
            }
            _ => None,
        };
    };
    let word = repair.outcome.word();
    let behind = format!("is behind, {word}");
    match repair.outcome {
        Outcome::Repaired => {
            let cause = sequence.cause.map_or("unknown", Cause::word);
            let to = repair.next_value.map_or_else(String::new, |next| format!(" to {next}"));
            let lag = sequence.lag.unwrap_or(0);
            fact(Level::INFO, word, &format!("was {lag} behind (cause: {cause}) and was moved{to}"), None)
        }
        Outcome::Skipped => fact(Level::INFO, word, &behind, repair.reason.as_ref()),
        Outcome::Held => fact(Level::WARN, word, &behind, repair.reason.as_ref()),
        Outcome::Failed => fact(Level::ERROR, word, &behind, repair.reason.as_ref()),
    }
}

/// That a sequence was set back, though no id is in its way.
pub fn describe_set_back(sequence: &SequenceReport) -> Option<Fact> {
    let reason = sequence.set_back()?;
    let level = if sequence.observed_only { Level::INFO } else { Level::WARN };
    Some(Fact { level, kind: Cause::Rewound.word().to_owned(), text: format!("{}: {reason}", sequence.name) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RepairReport;
    use pgmedic_core::ReasonKind;

    fn held(lag: u128, kind: ReasonKind) -> Fact {
        let reason = Reason::new(kind, format!("{lag} values"));
        let repair = Box::new(RepairReport::new(Outcome::Held, None, Some(reason)));
        let sequence = SequenceReport {
            lag: Some(lag),
            repair: Some(repair),
            ..SequenceReport::new("public.a".to_owned(), Vec::new(), Verdict::Behind)
        };
        describe(&sequence).unwrap()
    }

    #[test]
    fn another_kind_of_reason_is_news_and_another_number_is_not() {
        let (first, more) = (held(7, ReasonKind::FarIds), held(8, ReasonKind::FarIds));
        assert_eq!(first.text, "public.a is behind, held: 7 values");
        assert!(first.kind == more.kind && first.text != more.text);
        assert!(first.kind != held(7, ReasonKind::Limit).kind);
    }
}
