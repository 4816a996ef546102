use crate::http::status::model::Snapshot;
use crate::http::status::model::test_support::*;
use crate::http::status::search_query::SearchQuery;
use crate::http::status::view::render;
use crate::report::DatabaseLabel;
use crate::state::DatabaseState;

fn on(server: usize, database: &str, state: DatabaseState) -> (String, DatabaseState) {
    let label = DatabaseLabel::of_server(&format!("db{server:03}"), database);
    (label.to_string(), DatabaseState { discovered: Some(label), ..state })
}

fn healthy() -> DatabaseState {
    checked(vec![in_sync("public.a_id_seq")])
}

/// Of so many servers with so many healthy databases each.
fn fleet(servers: usize, databases: usize) -> Vec<(String, DatabaseState)> {
    let of = |server| (0..databases).map(move |number| on(server, &format!("tenant_{number:03}"), healthy()));
    (0..servers).flat_map(of).collect()
}

/// The section of the databases.
fn section(snapshot: &Snapshot, query: &str) -> String {
    let page = render(snapshot, 1, &SearchQuery::read(query)).into_string();
    let (_, section) = page.split_once("<section id=\"databases\"").unwrap();
    section.split_once("</section>").unwrap().0.to_owned()
}

#[test]
fn few_healthy_databases_are_folded_and_many_are_a_link_to_their_list() {
    let few = section(&snapshot_of(fleet(2, 50)), "");
    assert_eq!((few.matches("<details").count(), few.matches("<li>").count()), (2, 100));
    let many = snapshot_of(fleet(2, 125));
    let folded = section(&many, "");
    assert_eq!((folded.matches("<tr").count(), folded.matches("<li>").count()), (3, 0), "{folded}");
    assert_eq!(folded.matches("href=\"?server=db001&amp;databases=1#databases\"").count(), 1, "{folded}");
    let first = section(&many, "server=db001&databases=1");
    assert!(first.contains("1 to 100 of 125") && !first.contains("Previous"), "{first}");
    let second = section(&many, "server=db001&databases=2");
    assert!(second.contains("101 to 125 of 125") && !second.contains("Next"), "{second}");
    assert_eq!(second.matches("<li>").count(), 25, "of one server alone");
    assert!(second.contains("database=db001%2Ftenant_124"), "{second}");
    assert!(section(&many, "databases=1").matches("<li>").count() == 0, "of which server?");
}

#[test]
fn a_server_with_a_thousand_databases_says_how_many_instead_of_drawing_each() {
    assert!(section(&snapshot_of(fleet(1, 250)), "").contains("aria-label=\"250 databases: 250 healthy\""));
    let thousand = section(&snapshot_of(fleet(1, 1000)), "");
    assert!(thousand.contains("1000 of 1000 healthy") && !thousand.contains("<svg class=\"map\""), "{thousand}");
}

#[test]
fn of_more_servers_than_fit_the_worst_are_shown() {
    let mut databases = fleet(101, 1);
    databases.push(on(100, "broken", checked(vec![behind("public.a_id_seq")])));
    let shown = section(&snapshot_of(databases), "");
    assert_eq!(shown.matches("<tr class=\"server\"").count(), 100);
    assert!(
        shown.contains("database=db100%2Fbroken") && shown.contains("1 more server, not worse than these"),
        "{shown}"
    );
}

#[test]
fn databases_that_are_configured_one_by_one_stand_below_the_servers() {
    let mut databases = fleet(1, 1);
    databases.push(("alone".to_owned(), refused(3)));
    let shown = section(&snapshot_of(databases), "");
    let (server, others) = shown.split_once("Other databases").expect("the others");
    assert!(server.contains("db000") && others.contains("?database=alone#sequences"), "{shown}");
    assert!(shown.contains("2 databases on 1 server; 1 healthy"), "{shown}");
}

#[test]
fn many_databases_with_a_problem_are_rows_up_to_a_hundred() {
    let broken = |number: usize| on(number % 3, &format!("broken_{number:03}"), refused(3));
    let shown = section(&snapshot_of((0..150).map(broken)), "");
    assert_eq!(shown.matches("<tr role=\"row\" class=\"unknown\"").count(), 100);
    assert!(shown.contains("50 more databases need attention"), "{shown}");
}

#[test]
fn a_standby_says_of_a_server_that_another_agent_leads() {
    let shown = section(&snapshot_of([on(0, "a", standby()), on(0, "b", standby())]), "");
    assert!(shown.contains(">Standby<") && shown.contains("2 databases led by another agent"), "{shown}");
    assert!(!shown.contains("of 2 healthy"), "{shown}");
}
