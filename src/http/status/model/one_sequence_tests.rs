use super::*;
use crate::http::status::model::test_support::*;
use crate::report::Cause;
use crate::state::HistoryEvent;

fn query(database: &str, name: &str) -> SequenceQuery {
    SequenceQuery { database: database.to_owned(), name: name.to_owned() }
}

#[test]
fn the_sentence_says_whether_inserts_work() {
    let sequences = vec![
        in_sync("public.a_id_seq"),
        behind("public.b_id_seq"),
        running_out("public.c_id_seq"),
        unreadable("public.d_id_seq"),
    ];
    let snapshot = snapshot([("app", checked(sequences))]);
    let facts = snapshot.facts();
    let sentences = ["a", "b", "c", "d"].map(|name| {
        let page = OneSequence::of(&query("app", &format!("public.{name}_id_seq")), &snapshot, &facts).unwrap();
        (page.sentence, page.card.is_some())
    });
    let wanted = [
        ("public.a_id_seq is ahead of its data", false),
        ("Inserts into public.b are failing", true),
        ("public.c is running out of ids: 94.1% are used", true),
        ("public.d_id_seq cannot be checked", true),
    ];
    for ((sentence, has_card), (begin, needs_card)) in sentences.iter().zip(wanted) {
        assert!(sentence.starts_with(begin) && *has_card == needs_card, "{sentence}");
    }
}

#[test]
fn only_its_own_events_are_listed_and_commands_are_quoted() {
    let name = "public.\"it's\"";
    let mut snapshot = snapshot([("app", checked(vec![in_sync(name)])), ("shop", checked(vec![in_sync(name)]))]);
    for (database, sequence) in [("app", name), ("app", "public.other"), ("shop", name)] {
        let repaired = HistoryEvent::Repaired {
            sequence: sequence.to_owned(),
            cause: Some(Cause::Rewound),
            lag: None,
            from: Some(1),
            to: Some(2),
            who: None,
        };
        snapshot.history.add(NOW - 10.0, database, repaired);
    }
    let facts = snapshot.facts();
    let page = OneSequence::of(&query("app", name), &snapshot, &facts).unwrap();
    assert_eq!(page.events.iter().map(|group| group.events.len()).sum::<usize>(), 1);
    assert_eq!(page.check_statement, "NOTIFY pgmedic, 'public.\"it''s\"';");
    assert_eq!(page.history_command, "pgmedic history 'public.\"it'\\''s\"' --database app");
    assert!(OneSequence::of(&query("other", name), &snapshot, &facts).is_none());
    assert!(OneSequence::of(&query("app", "public.other"), &snapshot, &facts).is_none());
}
