use super::*;
use crate::report::{RepairReport, Verdict};

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
