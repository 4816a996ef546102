use super::*;
use crate::http::status::model::test_support::NOW;
use crate::state::History;

/// Minute 0 of the hour of `NOW`.
const HOUR_START: f64 = 1_699_999_200.0;

fn repaired(sequence: &str) -> HistoryEvent {
    HistoryEvent::Repaired {
        sequence: sequence.to_owned(),
        cause: Some(Cause::IdsInserted),
        lag: Some(20),
        from: Some(1),
        to: Some(21),
        who: Some("as far as the server tells, by COPY of role etl".to_owned()),
    }
}

fn ended(expired: u64, superseded: u64) -> HistoryEvent {
    HistoryEvent::Ended { store: "public.logins".to_owned(), sweeps: 6, expired, superseded }
}

#[test]
fn each_hour_is_summed_up_and_the_newest_comes_first() {
    let mut history = History::default();
    history.add(HOUR_START - 60.0, "app", ended(180, 8));
    history.add(HOUR_START + 10.0, "app", repaired("public.orders_id_seq"));
    history.add(HOUR_START + 20.0, "app", repaired("public.orders_id_seq"));
    history.add(HOUR_START + 30.0, "app", ended(198, 14));
    let groups = groups(history.entries(), false, NOW);
    let summaries: Vec<(&str, &str)> =
        groups.iter().map(|group| (group.label.as_str(), group.summary.as_str())).collect();
    let wanted = [("22:00", "2 repairs of 1 sequence, 212 sessions ended"), ("21:00", "188 sessions ended")];
    assert_eq!(summaries, wanted);
    assert_eq!(groups[0].events.len(), 3);
}

#[test]
fn each_event_says_what_and_why() {
    let mut history = History::default();
    let failing = HistoryEvent::Failing {
        sequence: "public.user_sessions_id_seq".to_owned(),
        lag: Some(38),
        exhausted: false,
        held_by: Some(pgmedic_core::sequence::HoldReason::Privilege),
        cause: Some(Cause::Rewound),
        who: None,
    };
    let events = [
        repaired("public.orders_id_seq"),
        failing,
        HistoryEvent::SetBack {
            sequence: "public.t_id_seq".to_owned(),
            to: Some(7),
            why: "it was at 9 before".to_owned(),
        },
        HistoryEvent::NotChecked { why: "the server refused the role".to_owned() },
        HistoryEvent::Inline { outcome: "repaired", repairs: 2 },
        ended(198, 14),
    ];
    for event in events {
        history.add(HOUR_START, "app", event);
    }
    let groups = groups(history.entries(), true, NOW);
    let mut said: Vec<String> = groups[0]
        .events
        .iter()
        .map(|event| format!("{} | {}", event.line.at(NOW), event.why.clone().unwrap_or_default()))
        .collect();
    said.sort();
    let wanted = [
        "6 sweeps ended 212 sessions in public.logins in app | Expired 198, replaced by a newer login 14.",
        "The login path made 2 inline repairs in app | ",
        "app could not be checked | The server refused the role.",
        "public.orders_id_seq in app moved from 1 to 21 | Ids inserted: rows came with ids at or past the next value. \
         As far as the server tells, by COPY of role etl.",
        "public.t_id_seq in app was set back to 7; no id is in its way | It was at 9 before.",
        "public.user_sessions_id_seq in app fell behind by 38; repair held: privilege | \
         Rewound: the sequence itself was moved back.",
    ];
    assert_eq!(said, wanted);
}

#[test]
fn many_repairs_at_one_moment_are_one_event() {
    let mut history = History::default();
    for number in 0..9 {
        history.add(HOUR_START, "ledger", repaired(&format!("public.t{number}_id_seq")));
    }
    let groups = groups(history.entries(), true, NOW);
    assert_eq!(groups[0].events.len(), 1);
    assert_eq!(groups[0].events[0].line.at(NOW).to_string(), "9 sequences in ledger moved forward");
    assert_eq!(groups[0].summary, "9 repairs of 9 sequences");
}
