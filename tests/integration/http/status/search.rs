//! The search over all sequences, page by page, by the server alone.

use super::{EVERY_SECOND, html, says, text};
use crate::support::{Agent, Database};

/// A hundred and twenty sequences that are healthy, one whose furthest id waits for a decision, one that runs out.
async fn shop() -> (Database, Agent) {
    let mut database = Database::new().await;
    database
        .sql(
            "DO $$ BEGIN FOR i IN 1..120 LOOP EXECUTE format('CREATE TABLE item_%s (id_%s serial)', i, i); END LOOP; END $$;
             CREATE TABLE \"Payments\" (id serial PRIMARY KEY); INSERT INTO \"Payments\" VALUES (2000000000);
             CREATE TABLE big (id serial); SELECT setval('big_id_seq', 1700000000)",
        )
        .await;
    let agent = Agent::start(&database, EVERY_SECOND);
    says(&agent, &["public.big is running out of ids: 79.1% are used", "1 decision is waiting"]);
    (database, agent)
}

/// The names that a page lists.
fn listed(html: &str) -> Vec<String> {
    let (_, rows) = html.split_once("id=\"rows\"").expect("rows");
    let (rows, _) = rows.split_once("id=\"activity\"").expect("an end");
    let names = rows.split("<bdi class=\"name\">").skip(1).filter_map(|row| row.split_once("</bdi>"));
    names.map(|(name, _)| text(&format!("<b>{name}"))).collect()
}

/// Where a link leads.
fn link(html: &str, id: &str) -> Option<String> {
    let (_, rest) = html.split_once(&format!("<a id=\"{id}\""))?;
    let (_, rest) = rest.split_once("href=\"")?;
    Some(rest.split(['"', '#']).next()?.replace("&amp;", "&"))
}

#[tokio::test]
async fn pages_hold_every_sequence_once_and_the_worst_first() {
    let (_database, agent) = shop().await;
    let (mut seen, mut path, mut pages) = (Vec::new(), "/".to_owned(), 0);
    loop {
        let page = html(&agent, &path);
        let names = listed(&page);
        assert!(names.len() <= 25, "{path}: {} rows", names.len());
        seen.extend(names);
        pages += 1;
        assert_eq!(link(&page, "previous").is_some(), pages > 1);
        match link(&page, "next") {
            Some(next) => path = format!("/{next}"),
            None => break,
        }
    }
    assert_eq!((pages, seen.len()), (5, 122));
    assert_eq!(seen[..3], ["public.big_id_seq", "public.\"Payments_id_seq\"", "public.item_100_id_100_seq"]);
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 122);
    assert!(text(&html(&agent, "/?page=5")).contains("101 to 122 of 122"));
    // A page past the end shows the last one.
    assert_eq!(listed(&html(&agent, "/?page=6000")), listed(&html(&agent, "/?page=5")));
    agent.stop();
}

#[tokio::test]
async fn words_are_looked_for_in_names_and_columns_without_regard_to_case() {
    let (_database, agent) = shop().await;
    let found = |query: &str| listed(&html(&agent, &format!("/?q={query}")));
    assert_eq!(found("payments"), ["public.\"Payments_id_seq\""]);
    assert_eq!(found("ITEM_117."), ["public.item_117_id_117_seq"], "its column is public.item_117.id_117");
    assert_eq!(found("id_119+public"), ["public.item_119_id_119_seq"], "every word");
    assert_eq!(found("item_11").len(), 11);
    let nothing = html(&agent, "/?q=item_11%25");
    assert!(listed(&nothing).is_empty() && text(&nothing).contains("No matching sequences."), "no wildcard");
    // The query stays in the form and in the links.
    let page = html(&agent, "/?q=item_1&status=healthy&sort=used");
    let kept = ["value=\"item_1\"", "name=\"status\" value=\"healthy\"", "<option value=\"used\" selected>"];
    assert!(kept.iter().all(|kept| page.contains(kept)), "{page}");
    assert_eq!(link(&page, "next").as_deref(), Some("?q=item_1&status=healthy&sort=used&page=2"));
    agent.stop();
}

#[tokio::test]
async fn a_status_and_a_database_narrow_it_and_a_column_sorts_it() {
    let (database, agent) = shop().await;
    let found = |query: &str| listed(&html(&agent, &format!("/?{query}")));
    assert_eq!(found("status=soon"), ["public.big_id_seq"], "79 % of it is used");
    assert_eq!(found("status=decision"), ["public.\"Payments_id_seq\""]);
    assert!(found("status=failing").is_empty());
    assert!(found("database=elsewhere").is_empty());
    assert_eq!(found(&format!("database={}&q=big", database.name)), ["public.big_id_seq"]);
    assert_eq!(found("sort=max")[0], "public.\"Payments_id_seq\"");
    assert_eq!(found("sort=sequence")[..2], ["public.\"Payments_id_seq\"", "public.big_id_seq"]);
    assert_eq!(found("sort=sequence&dir=desc")[0], "public.item_9_id_9_seq");
    let counts = text(&html(&agent, "/"));
    assert!(counts.contains("All 122 Failing 0 Soon 1 Unknown 0 Decision 1 Repaired 24 h 0 Healthy 120"), "{counts}");
    agent.stop();
}

#[tokio::test]
async fn a_row_shows_numbers_that_can_be_pasted_and_its_range_as_a_bar() {
    let (_database, agent) = shop().await;
    let row = |query: &str| {
        let page = html(&agent, &format!("/?q={query}"));
        let (_, rows) = page.split_once("id=\"rows\"").expect("rows");
        let (_, rows) = rows.split_once("<tbody").expect("rows");
        rows.split("</tbody>").next().unwrap_or_default().to_owned()
    };
    let held = row("payments");
    assert!(text(&held).contains(" 1 2000000000 "), "{}", text(&held));
    assert!(held.contains("2<span>000</span><span>000</span><span>000</span>"), "{held}");
    let big = row("big");
    assert!(text(&big).contains("1700000001 – 0 79.1%"), "{}", text(&big));
    assert!(big.contains("class=\"used soon\"") && big.contains("class=\"fill\" width=\"44.3\""), "{big}");
    agent.stop();
}
