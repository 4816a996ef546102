use super::*;
use crate::http::status::model::test_support::*;
use crate::state::DatabaseState;
use pgmedic_core::sequence::HoldReason;

fn headline(databases: Vec<(&'static str, DatabaseState)>) -> (PageLevel, String, String, String) {
    let snapshot = snapshot(databases);
    let headline = Headline::of(&snapshot.facts(), true, NOW);
    (headline.level, headline.sentence, headline.second.at(NOW).to_string(), headline.tab)
}

#[track_caller]
fn says(databases: Vec<(&'static str, DatabaseState)>, sentence: &str) {
    assert_eq!(headline(databases).1, sentence);
}

#[test]
fn inserts_fail_on_tables_in_a_database_or_in_several() {
    let failing = || checked(vec![behind("public.user_sessions_session_id_seq"), exhausted("public.ticks_id_seq")]);
    let (level, sentence, second, tab) = headline(vec![("app", failing())]);
    assert_eq!(level, PageLevel::Failing);
    assert_eq!(sentence, "Inserts are failing on 2 tables in app");
    assert_eq!(second, "app · PostgreSQL 17.5 · this agent leads · checked 4 s ago, every 30 s");
    assert_eq!(tab, "✖ 2 failing · pgmedic");
    says(vec![("app", checked(vec![behind("public.a_id_seq")]))], "Inserts are failing on 1 table in app");
    says(vec![("app", failing()), ("shop", failing())], "Inserts are failing on 4 tables in 2 databases");
}

#[test]
fn what_else_there_is_stands_below() {
    let databases = vec![
        ("app", checked(vec![behind("public.a_id_seq")])),
        ("legacy", refused(61)),
        ("shop", checked(vec![running_out("public.b_id_seq"), unreadable("public.c_id_seq")])),
        ("well", checked(vec![in_sync("public.a_id_seq")])),
    ];
    let also = "Also: 1 database cannot be checked, 1 sequence cannot be checked, and 1 sequence runs out of ids. \
                1 of 4 databases is healthy.";
    assert_eq!(headline(databases).2, also);
}

#[test]
fn a_database_that_cannot_be_checked_is_named_or_counted() {
    let well = || checked(vec![in_sync("public.a_id_seq")]);
    says(vec![("legacy", refused(61))], "legacy cannot be checked");
    says(vec![("legacy", refused(61)), ("app", well())], "1 of 2 databases cannot be checked");
    says(vec![("app", checked(vec![unreadable("public.a_id_seq")]))], "1 sequence in app cannot be checked");
    says(vec![("app", checked(Vec::new()))], "No sequences found in app");
    assert_eq!(headline(vec![("legacy", refused(61))]).3, "? 1 unknown · pgmedic");
}

#[test]
fn where_it_is_not_known_which_values_are_taken_inserts_may_be_failing() {
    let held = |name: &str| {
        let mut held = behind(name);
        if let Some(repair) = &mut held.repair {
            repair.held_by = Some(HoldReason::NoIndex);
        }
        held
    };
    says(vec![("app", checked(vec![held("public.a_id_seq")]))], "Inserts may be failing on 1 table in app");
    let both = checked(vec![held("public.a_id_seq"), unreadable("public.b_id_seq")]);
    says(vec![("app", both)], "2 sequences in app cannot be checked");
}

#[test]
fn a_range_that_ends_is_said_of_one_table_or_of_several() {
    says(
        vec![("app", checked(vec![running_out("public.items_id_seq")]))],
        "public.items is running out of ids: 94.1% are used",
    );
    let two = vec![running_out("public.a_id_seq"), running_out("public.b_id_seq")];
    says(vec![("app", checked(two))], "2 tables in app are running out of ids");
}

#[test]
fn all_is_well_only_when_all_was_checked() {
    let two = || checked(vec![in_sync("public.a_id_seq"), in_sync("public.b_id_seq")]);
    let (level, sentence, second, tab) = headline(vec![("app", two()), ("shop", two())]);
    assert_eq!((level, sentence.as_str()), (PageLevel::Healthy, "All 4 sequences are ahead of their data"));
    assert_eq!((second.as_str(), tab.as_str()), ("2 databases, all of them healthy.", "✔ All healthy · pgmedic"));
    says(vec![("app", checked(vec![in_sync("public.a_id_seq")]))], "The only sequence is ahead of its data");
    // Where this agent leads in one database and not in the other.
    says(vec![("app", two()), ("shop", standby())], "All 2 sequences are ahead of their data");
}

#[test]
fn a_sequence_that_feeds_nothing_is_not_called_ahead_of_its_data() {
    let lonely = SequenceReport::new("public.lonely".to_owned(), Vec::new(), crate::report::Verdict::Unlinked);
    let sequences = vec![in_sync("public.a_id_seq"), in_sync("public.b_id_seq"), lonely];
    let (_, sentence, second, _) = headline(vec![("app", checked(sequences))]);
    assert_eq!(sentence, "All 2 sequences are ahead of their data");
    assert!(second.ends_with("every 30 s. 1 sequence is not judged."), "{second}");
}

#[test]
fn a_standby_and_a_start_know_nothing() {
    assert_eq!(headline(vec![("app", standby())]).1, "Standby: another agent leads");
    assert_eq!(headline(vec![("app", standby())]).3, "○ Standby · pgmedic");
    says(vec![("app", DatabaseState::default())], "Starting: the first check of app is running");
    let two = vec![("app", DatabaseState::default()), ("shop", DatabaseState::default())];
    says(two, "Starting: the first checks of 2 databases are running");
}

#[test]
fn a_refused_configuration_is_a_decision() {
    let snapshot = snapshot([("app", checked(vec![in_sync("public.a_id_seq")]))]);
    let headline = Headline::of(&snapshot.facts(), false, NOW);
    assert_eq!(headline.sentence, "No insert is failing; 1 decision is waiting");
    assert_eq!(headline.tab, "■ 1 decision · pgmedic");
}
