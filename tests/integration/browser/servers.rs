//! Databases grouped by server.

use super::{EVERY_SECOND, HOURLY};
use crate::support::{Agent, DESKTOP, Database, Look, Page, server_with};
use pgmedic_testserver::TestServer;

const ORDERS: &str = "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT nextval('orders_id_seq')
                      FROM generate_series(1, 20)";
const FAR: &str = "INSERT INTO orders VALUES (2000000000)";

const FOLD_IS_OPEN: &str = "document.querySelector('#databases details').open";

/// A server with databases of these names, and an agent on it.
async fn fleet(names: &[String], settings: &str) -> (TestServer, Agent) {
    let server = server_with(&[]);
    let mut postgres = Database::at("postgres", server.url("postgres")).await;
    for name in names {
        postgres.sql(&format!("CREATE DATABASE \"{name}\" TEMPLATE template0")).await;
        let mut database = Database::at(name, server.url(name)).await;
        database.sql(ORDERS).await;
        sqlx::Connection::close(database.connection).await.unwrap();
    }
    let table = format!(
        "[[servers]]\nname = \"prod\"\nurl = \"{}\"\nexclude = [\"postgres\"]\n[[http.links]]\nname = \"Grafana\"\n\
         url = \"https://grafana.example/\"\n{settings}[http]\nlisten = \"127.0.0.1:0\"\n",
        server.url("postgres")
    );
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    std::fs::write(file.path(), table).unwrap();
    (server, Agent::run(file, &[]))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_its_databases_is_for_everyone_and_by_keyboard_and_without_a_script() {
    let names = ["a", "billing_eu", "<b>c</b>"].map(str::to_owned);
    let (server, agent) = fleet(&names, EVERY_SECOND).await;
    let page = Page::open(&agent.url(""));
    page.says(&["3 databases on 1 server; 3 healthy", "3 of 3 healthy", "3 healthy databases", "primary"]);
    // Opened by the keyboard, the fold stays open while the page follows what happens.
    page.look("document.querySelector('#databases summary').focus()");
    page.press(&["Enter"]);
    assert_eq!(page.look(FOLD_IS_OPEN), true);
    let mut database = Database::at("a", server.url("a")).await;
    database.sql(FAR).await;
    page.says(&["2 of 3 healthy", "Decision a 1 0 0 1", "2 healthy databases"]);
    assert_eq!(page.look(FOLD_IS_OPEN), true);
    page.is_for_everyone("servers");
    page.close();
    let page = Page::open_as(&agent.url(""), Look { script: false, ..DESKTOP });
    page.says(&["2 of 3 healthy"]);
    assert_eq!(page.look(FOLD_IS_OPEN), false);
    page.act("click", "#databases summary");
    assert_eq!(page.look(FOLD_IS_OPEN), true);
    page.act("click", "#databases .server a");
    page.says(&["Only on server prod.", "1 to 3 of 3"]);
    page.close();
    agent.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_healthy_databases_than_a_fold_holds_are_listed_on_pages() {
    let names: Vec<String> = (1..=51).map(|number| format!("tenant_{number:02}")).collect();
    let (_server, agent) = fleet(&names, HOURLY).await;
    let page = Page::open_as(&agent.url(""), Look { script: false, ..DESKTOP });
    page.wait_until("all of them", |page| {
        page.act("click", "#live");
        page.text().contains("51 of 51 healthy").then_some(())
    });
    assert!(!page.text().contains("tenant_51 "));
    page.act("click", "#databases .server .count a");
    page.says(&["1 to 51 of 51", "Only on server prod."]);
    page.act("click", "#databases .names li:last-child a");
    page.says(&["Only in prod/tenant_51.", "1 to 1 of 1"]);
    page.fits();
    page.close();
    let page = Page::open(&agent.url("?server=prod&databases=1"));
    page.says(&["1 to 51 of 51"]);
    page.is_for_everyone("servers-list");
    page.close();
    agent.stop();
}
