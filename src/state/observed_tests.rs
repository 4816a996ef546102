use super::*;
use crate::report::RepairReport;
use pgmedic_core::{Reason, ReasonKind};

const AT: f64 = 1_700_000_000.0;

fn report(sequences: Vec<SequenceReport>) -> DatabaseReport {
    DatabaseReport { sequences: sequences.into_iter().map(Arc::new).collect(), ..DatabaseReport::default() }
}

fn at(name: &str, next: i64, verdict: Verdict) -> SequenceReport {
    SequenceReport {
        next_value: Some(next),
        limit: Some(32_767),
        ..SequenceReport::new(name.to_owned(), Vec::new(), verdict)
    }
}

#[test]
fn what_fails_is_dated_from_the_pass_that_first_saw_it() {
    let mut observed = Observed::default();
    let behind = report(vec![at("a", 1, Verdict::Behind), at("b", 1, Verdict::InSync)]);
    assert_eq!(observed.record_pass(10.0, None, &behind).began.len(), 1);
    assert!(observed.record_pass(20.0, Some(&behind), &behind).began.is_empty(), "it is no news");
    assert_eq!((observed.since("a"), observed.since("b")), (Some(10.0), None));
    assert_eq!(observed.failing, 1);
    let well = report(vec![at("a", 9, Verdict::InSync), at("b", 1, Verdict::InSync)]);
    observed.record_pass(30.0, Some(&behind), &well);
    assert_eq!((observed.since("a"), observed.last_failure), (None, Some((30.0, 20.0))));
}

#[test]
fn another_level_has_another_beginning() {
    let mut observed = Observed::default();
    observed.record_pass(10.0, None, &report(vec![at("a", 1, Verdict::Unreadable)]));
    observed.record_pass(20.0, None, &report(vec![at("a", 1, Verdict::Behind)]));
    assert_eq!(observed.since("a"), Some(20.0));
}

#[test]
fn values_that_a_repair_or_a_rewind_moved_over_were_not_handed_out() {
    let mut observed = Observed::default();
    let repair = RepairReport { next_value: Some(100), ..RepairReport::new(Outcome::Repaired, None, None) };
    let repaired = SequenceReport { repair: Some(Box::new(repair)), ..at("a", 10, Verdict::Behind) };
    let passes = [at("a", 5, Verdict::InSync), repaired, at("a", 103, Verdict::InSync), at("a", 2, Verdict::InSync)];
    let mut before: Option<DatabaseReport> = None;
    for pass in passes {
        let pass = report(vec![pass]);
        observed.record_pass(AT, before.as_ref(), &pass);
        before = Some(pass);
    }
    // From 5 to 10, and from 100 to 103.
    assert_eq!(observed.day.sum(AT, |hour| hour.ids), 8);
    assert_eq!(observed.day.sum(AT, |hour| hour.repaired), 1);
    assert_eq!(observed.last_repair("a"), Some(LastRepair { at: AT, cause: None }));
}

#[test]
fn sequences_that_come_and_go_are_compared_by_name() {
    let before = report(vec![at("a", 1, Verdict::InSync), at("b", 1, Verdict::InSync)]);
    let after = report(vec![at("b", 4, Verdict::InSync)]);
    assert_eq!(ids_handed_out(&before, &after), 3);
}

#[test]
fn what_was_set_back_is_news_once_until_it_is_where_it_was_or_gone() {
    let mut observed = Observed::default();
    let rewound = || {
        let reason = Some(Box::new(Reason::new(ReasonKind::Rewound, "it was set back")));
        SequenceReport { cause: Some(Cause::Rewound), reason, ..at("a", 1, Verdict::InSync) }
    };
    let mut news = |found: Vec<SequenceReport>| observed.record_pass(AT, None, &report(found)).set_back.len();
    let other = |verdict| vec![at("a", 1, verdict)];
    assert_eq!((news(vec![rewound()]), news(vec![rewound()])), (1, 0));
    for verdict in [Verdict::Behind, Verdict::Unreadable, Verdict::Exhausted] {
        assert_eq!((news(other(verdict)), news(other(verdict)), news(vec![rewound()])), (0, 0, 0), "{verdict:?}");
    }
    assert_eq!(
        (news(other(Verdict::InSync)), news(vec![rewound()])),
        (0, 1),
        "it was brought back, and set back again"
    );
    assert_eq!((news(Vec::new()), news(vec![rewound()])), (0, 1), "another one has its name");
}
