//! Links to pages elsewhere, and to those of other agents.

use super::{EVERY_SECOND, HEALTHY, html, links, orders, says};
use crate::support::{Agent, Database, command};

const LINKS: &str = "[[http.links]]\nname = \"Grafana & more\"\nurl = \"https://grafana.example/d/x?a=1&b=\\\"2\\\"\"\n\
                     [[http.agents]]\nname = \"pgmedic-1\"\nurl = \"http://pgmedic-1.example:9847\"\n";

fn config(database: &Database, more: &str) -> tempfile::NamedTempFile {
    database.config(&format!("{EVERY_SECOND}[http]\nlisten = \"127.0.0.1:0\"\n{more}"))
}

#[tokio::test]
async fn they_stand_on_every_page_and_a_standby_leads_to_the_other_agents() {
    let database = orders().await;
    let leader = Agent::run(config(&database, LINKS), &[]);
    says(&leader, &[HEALTHY, "Grafana & more", "Page of pgmedic-1"]);
    let sequence = links(&html(&leader, "/"), "sequence?").remove(0);
    for page in ["/".to_owned(), format!("/{sequence}")] {
        let page = html(&leader, &page);
        // In the bar and in the footer.
        let elsewhere = "https://grafana.example/d/x?a=1&b=%222%22";
        assert_eq!(links(&page, "https://"), [elsewhere; 2], "{page}");
        let (shown, gone) = page.split_once("<template").expect("what is shown when the agent is gone");
        let (gone, footer) = gone.split_once("</template>").unwrap();
        let agent = "http://pgmedic-1.example:9847/";
        assert_eq!(
            (links(gone, "http://"), links(footer, "http://")),
            (vec![agent.to_owned()], vec![agent.to_owned()])
        );
        assert!(links(shown, "http://").is_empty(), "{page}");
    }
    let standby = Agent::run(config(&database, LINKS), &[]);
    says(&standby, &["Standby: another agent leads", "Open the page of pgmedic-1"]);
    standby.stop();
    leader.stop();
}

#[tokio::test]
async fn without_any_the_page_leads_nowhere_else() {
    let database = orders().await;
    let agent = Agent::run(config(&database, ""), &[]);
    says(&agent, &[HEALTHY]);
    assert!(links(&html(&agent, "/"), "http").is_empty());
    agent.stop();
}

#[tokio::test]
async fn what_is_no_page_is_refused_in_one_line() {
    let database = orders().await;
    let url = "http.links[0].url: found ";
    let page = "expected http://HOST/PATH or https://HOST/PATH without a user name";
    let link = |name: &str, url: &str| format!("[[http.links]]\nname = {name:?}\nurl = {url:?}\n");
    let cases = [
        (link("Grafana", "javascript:alert(1)"), url, page),
        (link("Grafana", "https://admin:hunter2@grafana.example/"), url, page),
        (link("Grafana", "grafana.example/d/x"), url, page),
        (link("Grafana", ""), "http.links[0].url: found nothing", page),
        (link("", "https://grafana.example/"), "http.links[0].name: found nothing", "expected a name"),
        (link("a", "https://a.example/").repeat(2), "http.links[1].name: found \"a\"", "that no other link"),
        (link("a", "https://a.example/").repeat(13), "http.links: found 13 links", "at most 12"),
        (
            link("a", "https://a.example/").replace("links", "agents").replace("https", "data"),
            "http.agents[0].url: found ",
            page,
        ),
        ("[[http.links]]\ntitle = \"a\"\n".to_owned(), "title", "name"),
    ];
    for (links, found, expected) in cases {
        let file = config(&database, &links);
        let check = command(&[], &["--config", file.path().to_str().unwrap(), "check-config"]).output().unwrap();
        let error = String::from_utf8_lossy(&check.stderr).into_owned();
        assert_eq!(check.status.code(), Some(2), "{links}: {error}");
        assert!(error.contains(found) && error.contains(expected) && !error.contains("hunter2"), "{error}");
        assert_eq!(error.lines().count(), 1, "{error}");
    }
    let file = config(&database, LINKS);
    let shown = command(&[], &["--config", file.path().to_str().unwrap(), "check-config"]).output().unwrap();
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("[[http.links]]") && shown.contains("http://pgmedic-1.example:9847"), "{shown}");
}
