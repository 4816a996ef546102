//! Who was behind the drifts, a line for each thing that was told.

use super::super::SequenceReport;
use super::super::escape::escape_control;

/// Names that a line begins with.
const NAMED: usize = 3;

/// `public.a_id_seq, public.b_id_seq, public.c_id_seq and 41 more: as far as the server tells, by COPY of role postgres`,
/// and once why more is not told, where a privilege is missing.
pub(super) fn lines<'a>(sequences: impl Iterator<Item = &'a SequenceReport>) -> Vec<String> {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    let mut hidden = None;
    for sequence in sequences {
        let Some(evidence) = &sequence.evidence else { continue };
        hidden = hidden.or(evidence.missing_privilege());
        let Some(text) = evidence.text() else { continue };
        match told.iter_mut().find(|(known, _)| *known == text) {
            Some((_, names)) => names.push(&sequence.name),
            None => told.push((text, vec![&sequence.name])),
        }
    }
    let line = |(text, names): &(String, Vec<&str>)| {
        let first: Vec<_> = names.iter().take(NAMED).map(|name| escape_control(name)).collect();
        let more = names.len() - first.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{more}: {}", first.join(", "), escape_control(text))
    };
    told.iter().map(line).chain(hidden.map(|reason| escape_control(&reason.to_string()).into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Evidence, EvidenceSource, EvidenceStatement, Verdict};
    use pgmedic_core::evidence::StatementKind;

    #[test]
    fn sequences_of_which_the_same_is_told_share_a_line() {
        let by = |role: &str| Evidence {
            statements: vec![EvidenceStatement {
                kind: StatementKind::Copy,
                certain: true,
                role: role.to_owned(),
                application: None,
                client_address: None,
                calls: None,
                source: EvidenceSource::PgStatStatements,
            }],
            ..Evidence::default()
        };
        let named = |name: &str, evidence: Option<Evidence>| SequenceReport {
            evidence: evidence.map(Box::new),
            ..SequenceReport::new(name.to_owned(), Vec::new(), Verdict::Behind)
        };
        let mut all: Vec<_> = ["a", "b", "c", "d", "e"].map(|name| named(name, Some(by("etl")))).into();
        all.extend([named("f", None), named("g", Some(by("\"\u{1b}\""))), named("h", Some(Evidence::default()))]);
        assert_eq!(
            lines(all.iter()),
            [
                "a, b, c and 2 more: as far as the server tells, by COPY of role etl",
                "g: as far as the server tells, by COPY of role \"\\u{1b}\""
            ]
        );
    }
}
