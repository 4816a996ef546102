use super::*;
use crate::metrics::Metrics;
use crate::report::{WARN_USED_RATIO, is_running_out};
use crate::state::AgentState;

fn sequence(verdict: Verdict, lag: Option<u128>, used_ratio: Option<f64>) -> Arc<SequenceReport> {
    Arc::new(SequenceReport {
        lag,
        used_ratio,
        running_out: used_ratio.is_some_and(|used| is_running_out(verdict, used, WARN_USED_RATIO)),
        ..SequenceReport::new(format!("public.{}", verdict.as_str()), Vec::new(), verdict)
    })
}

/// The values of a gauge, by what is shown of these.
fn shown(sequences: Vec<Arc<SequenceReport>>, name: &str) -> Vec<f64> {
    let state = Arc::new(AgentState::new(false));
    let report = DatabaseReport { sequences, ..DatabaseReport::default() };
    state.update("app", |database| database.report = Some(Arc::new(report)));
    let text = Metrics::new(&state).unwrap().scrape().text_of_gauges(&[name]).unwrap();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect()
}

#[test]
fn the_maxima_are_of_what_was_read() {
    let in_sync = || sequence(Verdict::InSync, Some(0), Some(0.25));
    let unreadable = || sequence(Verdict::Unreadable, None, None);
    for family in ["pgmedic_sequence_lag_values_max", "pgmedic_sequence_used_ratio_max"] {
        assert_eq!(shown(vec![unreadable()], family), [] as [f64; 0], "unknown, so not 0");
        assert_eq!(shown(Vec::new(), family), [0.0]);
    }
    let all = || vec![unreadable(), in_sync(), sequence(Verdict::Behind, Some(38), Some(0.5))];
    assert_eq!(shown(all(), "pgmedic_sequence_lag_values_max"), [38.0]);
    assert_eq!(shown(all(), "pgmedic_sequence_used_ratio_max"), [0.5]);
    assert_eq!(shown(all(), "pgmedic_sequence_lag_values"), [38.0], "only what needs attention has detail series");
}

#[test]
fn the_fewest_days_are_of_what_has_a_pace() {
    let with = |days_left| {
        let report = SequenceReport { days_left, ..SequenceReport::new("a".to_owned(), Vec::new(), Verdict::InSync) };
        Arc::new(report)
    };
    assert_eq!(shown(vec![with(None)], "pgmedic_sequence_days_left_min"), [] as [f64; 0]);
    assert_eq!(shown(vec![with(Some(9.0)), with(None), with(Some(2.5))], "pgmedic_sequence_days_left_min"), [2.5]);
}
