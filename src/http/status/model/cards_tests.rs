use super::*;
use crate::http::status::model::card::Tool;
use crate::http::status::model::test_support::*;
use crate::report::FarIds;
use crate::state::DatabaseState;
use pgmedic_core::sequence::HoldReason;

fn cards(databases: Vec<(&'static str, DatabaseState)>) -> Cards {
    let snapshot = snapshot(databases);
    Cards::of(&snapshot, &snapshot.facts(), false)
}

#[test]
fn the_worst_comes_first_whichever_database_it_is_in() {
    let databases = vec![
        ("app", checked(vec![running_out("public.items_id_seq"), unreadable("public.a_id_seq")])),
        ("legacy", refused(61)),
        ("shop", checked(vec![exhausted("public.ticks_id_seq"), behind("public.user_sessions_id_seq")])),
    ];
    let shown: Vec<(PageLevel, String)> =
        cards(databases).shown.into_iter().map(|card| (card.level, card.title)).collect();
    let wanted = [
        (PageLevel::Failing, "public.user_sessions"),
        (PageLevel::Failing, "public.ticks"),
        (PageLevel::Unknown, "legacy"),
        (PageLevel::Unknown, "public.a_id_seq"),
        (PageLevel::Soon, "public.items"),
    ];
    assert_eq!(shown, wanted.map(|(level, title)| (level, title.to_owned())));
}

#[test]
fn the_same_reason_with_the_same_fix_is_one_card() {
    let mut sequences: Vec<SequenceReport> =
        (0..44).map(|number| unreadable(&format!("public.t{number}_id_seq"))).collect();
    for sequence in &mut sequences {
        let fix = pgmedic_core::Fix::Command("pgmedic grants".to_owned());
        sequence.reason = sequence.reason.take().map(|reason| Box::new(reason.with_fix(fix)));
    }
    let cards = cards(vec![("app", checked(sequences))]);
    assert_eq!((cards.shown.len(), cards.more), (1, 0));
    let card = &cards.shown[0];
    assert_eq!((card.title.as_str(), card.names.len()), ("44 sequences", 44));
    assert_eq!(card.fixes.first().map(|fix| (&fix.tool, fix.command.as_str())), Some((&Tool::Shell, "pgmedic grants")));
}

#[test]
fn a_fix_says_where_it_is_run_and_what_comes_of_it() {
    let cards = cards(vec![("app", checked(vec![behind("public.user_sessions_id_seq")]))]);
    let fix = &cards.shown[0].fixes[0];
    assert_eq!(fix.tool, Tool::Psql("app".to_owned(), None));
    assert!(fix.command.starts_with("GRANT ") && fix.command.ends_with("TO pgmedic;"), "{}", fix.command);
    assert_eq!(fix.after.as_deref(), Some("pgmedic then repairs the sequence within 30 s."));
    assert_eq!(cards.shown[0].why, ["The role has no UPDATE privilege."], "the fix is not repeated");
}

#[test]
fn ids_far_ahead_have_three_answers_and_the_safest_comes_first() {
    let far_ids = Some(Box::new(FarIds { count: Some(1), from: 2_000_000_000, to: Some(2_000_000_000), distance: 7 }));
    let mut far = SequenceReport { far_ids, ..behind("public.customers_id_seq") };
    if let Some(repair) = &mut far.repair {
        repair.held_by = Some(HoldReason::FarIds);
    }
    let cards = cards(vec![("shop", checked(vec![far]))]);
    let card = &cards.shown[0];
    assert_eq!(card.why, ["Moving past them would use up the 7 free values before them, so pgmedic asks first."]);
    let fixes: Vec<(&Tool, &str)> = card.fixes.iter().map(|fix| (&fix.tool, fix.command.as_str())).collect();
    let psql = Tool::Psql("shop".to_owned(), None);
    assert_eq!(fixes[0], (&psql, "SELECT * FROM public.customers WHERE id >= 2000000000;"));
    let rule = "[[sequences.rules]]\nmatch = \"public.customers_id_seq\"\nmax_id = 1999999999";
    assert_eq!(fixes[1], (&Tool::Configuration, rule));
    assert_eq!((fixes.len(), card.fixes[2].lead), (3, "If the jump is wanted"));
}

#[test]
fn a_database_that_cannot_be_checked_says_for_how_long_and_why() {
    let cards = cards(vec![("legacy", refused(61))]);
    let card = &cards.shown[0];
    assert_eq!(card.what, "Not checked for 30 min. Inserts may be failing; pgmedic cannot tell.");
    assert_eq!(card.why, ["Permission denied for database \"legacy\"."]);
    assert_eq!(card.since, Some(NOW - 1800.0));
}

#[test]
fn beyond_twenty_they_are_counted() {
    let many: Vec<SequenceReport> = (0..51).map(|number| exhausted(&format!("public.t{number}_id_seq"))).collect();
    let snapshot = snapshot([("app", checked(many))]);
    let facts = snapshot.facts();
    let few = Cards::of(&snapshot, &facts, false);
    assert_eq!((few.shown.len(), few.more), (20, 31));
    assert_eq!(Cards::of(&snapshot, &facts, true).shown.len(), 51);
}
