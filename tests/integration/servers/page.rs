//! The status page groups the databases by server.

use super::*;
use crate::support::wait_for;

/// The page's section of servers and databases; none while no database is known.
fn section(agent: &Agent) -> Option<String> {
    let (status, page) = agent.get("/");
    assert_eq!(status, 200);
    let (_, section) = page.split_once("<section id=\"databases\"")?;
    Some(section.split_once("</section>").expect("its end").0.to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_is_a_row_with_its_connections_and_below_it_stand_the_databases_that_need_attention() {
    let server = own_server();
    for name in ["a", "b"] {
        create(&server, name, ORDERS).await.connection.close().await.unwrap();
    }
    // Ids far ahead wait for a decision.
    create(&server, "c", "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (2000000000)").await;
    let agent = start(&table(&server.url("postgres"), "exclude = [\"postgres\"]\nmax_connections = 3"));
    let shown = wait_for("what was found", || section(&agent).filter(|section| section.contains(">2 of 3 healthy<")));
    for part in [
        "Servers and databases",
        "3 databases on 1 server; 2 healthy",
        "<a class=\"strong\" href=\"?server=prod#sequences\">",
        " of at most 3 connections",
        "<tr role=\"row\" class=\"decision\">",
        "<a class=\"strong\" href=\"?database=prod%2Fc#sequences\">",
        "2 healthy databases",
    ] {
        assert!(shown.contains(part), "{part} in {shown}");
    }
    assert_eq!(shown.matches("<tr").count(), 4, "head, server, database, the others: {shown}");
    // Its connections are in its row, and in no list below.
    assert!(!shown.contains("class=\"servers\""), "{shown}");
    let page = agent.get("/sequence?database=prod%2Fc&name=public.orders_id_seq").1;
    assert!(page.contains("on database <b><bdi>c</bdi></b>, server <b><bdi>prod</bdi></b>, after a fix"), "{page}");
    let card = agent.get("/").1;
    assert!(card.contains("<span class=\"place\"><bdi>c · server prod</bdi></span>"), "{card}");
    agent.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sequences_of_a_server_are_found_by_its_name() {
    let server = own_server();
    let other = own_server();
    create(&server, "a", ORDERS).await.connection.close().await.unwrap();
    create(&other, "b", ORDERS).await.connection.close().await.unwrap();
    let prod = table(&server.url("postgres"), "exclude = [\"postgres\"]");
    let test = table(&other.url("postgres"), "exclude = [\"postgres\"]").replace("\"prod\"", "\"test\"");
    let agent = start(&format!("{prod}{test}"));
    let found = |query: &str| {
        let page = agent.get(&format!("/?{query}")).1;
        let rows = page.split_once("id=\"rows\"").map(|(_, rows)| rows.to_owned()).unwrap_or_default();
        (rows.contains("database=prod%2Fa&amp;name="), rows.contains("database=test%2Fb&amp;name="))
    };
    wait_for("both", || (found("") == (true, true)).then_some(()));
    assert_eq!(found("server=prod"), (true, false));
    assert_eq!(found("server=test&q=orders"), (false, true));
    assert_eq!(found("server=nowhere"), (false, false));
    // The search stays on the server.
    let page = agent.get("/?server=prod").1;
    assert!(page.contains("<input type=\"hidden\" name=\"server\" value=\"prod\">"), "{page}");
    assert!(page.contains("Only on server <b><bdi>prod</bdi></b>"), "{page}");
    agent.stop();
}
