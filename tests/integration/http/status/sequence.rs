//! The page of one sequence, which the table and the cards link to.

use super::{EVERY_SECOND, html, links, orders, says, text};
use crate::support::{Agent, wait_for};

#[tokio::test]
async fn the_table_links_to_a_page_that_says_everything_about_the_sequence() {
    let mut database = orders().await;
    database
        .sql("CREATE TABLE \"Pay & Go\" (id serial PRIMARY KEY); INSERT INTO \"Pay & Go\" VALUES (2000000000)")
        .await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &["1 decision is waiting"]);
    let whole = html(&agent, "/");
    let link =
        links(&whole, "sequence?").into_iter().find(|link| link.contains("orders")).expect("a link in the table");
    let healthy = text(&html(&agent, &format!("/{link}")));
    for part in [
        "public.orders_id_seq is ahead of its data",
        "Next value 21",
        "Max id 20",
        "Lag 0",
        "public.orders.id (serial)",
        "NOTIFY pgmedic, 'public.orders_id_seq';",
        "pgmedic history public.orders_id_seq",
        "None.",
    ] {
        assert!(healthy.contains(part), "{part} in {healthy}");
    }
    // The card of the other one links to its page too.
    let odd = links(&whole, "sequence?").into_iter().filter(|link| link.contains("Pay")).collect::<Vec<_>>();
    assert_eq!(odd.len(), 2, "a card and a row: {odd:?}");
    let decision = text(&html(&agent, &format!("/{}", odd[0])));
    for part in [
        "No insert into public.\"Pay & Go\" is failing; a decision is waiting",
        "max_id = 1999999999",
        "--approve",
        "NOTIFY pgmedic, 'public.\"Pay & Go_id_seq\"';",
    ] {
        assert!(decision.contains(part), "{part} in {decision}");
    }
    // What happened to it, and to no other sequence, is listed.
    database.sql("SELECT setval('orders_id_seq', 1, false)").await;
    wait_for("the event", || {
        text(&html(&agent, &format!("/{link}"))).contains("public.orders_id_seq moved from 1 to 21").then_some(())
    });
    assert!(!text(&html(&agent, &format!("/{}", odd[0]))).contains("moved from"));
    agent.stop();
}

#[tokio::test]
async fn a_sequence_that_is_not_known_is_said_to_be_so() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &["The only sequence is ahead of its data"]);
    for query in ["", "?", "?name=public.orders_id_seq", "?database=app&name=%3Ci%3E"] {
        let (status, page) = agent.get(&format!("/sequence{query}"));
        assert_eq!(status, 404, "{page}");
        assert!(text(&page).contains("No such sequence is known at the moment") && !page.contains("<i>"), "{page}");
    }
    agent.stop();
}
