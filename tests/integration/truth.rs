//! A real Prometheus scrapes real agents on databases with every problem that an alert is for: each dashboard query has
//! data, and each alert fires. dashboards/prometheus/tests has what takes hours.

use crate::support::{Agent, Dashboard, Database, LONG_TIMEOUT, Prometheus, Query, server, wait_for_within};
use axum::Json;
use axum::routing::post;
use nix::sys::signal::Signal;
use pgmedic_testserver::{ServerOptions, TestServer};
use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tempfile::NamedTempFile;
use tokio::task::JoinHandle;

/// In a text of an alert whose template went wrong.
const WRONG: [&str; 3] = ["<no value>", "<error", "%!"];

/// Between two acts of sabotage: several in each slot of time that an alert counts by, none in some passes.
const PACE: Duration = Duration::from_millis(700);

const EVERY_SECOND: &str =
    "[http]\nlisten = \"127.0.0.1:0\"\n[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\n";

/// Repaired again and again.
const APP: &str = "
    CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20);
    CREATE TABLE tickets (id serial PRIMARY KEY); INSERT INTO tickets SELECT generate_series(1, 20);
    SELECT setval('tickets_id_seq', 20);
    CREATE TABLE logins (id bigserial PRIMARY KEY, expires_at timestamptz); CREATE INDEX ON logins (expires_at);
    INSERT INTO logins (expires_at) SELECT now() + interval '1 day' FROM generate_series(1, 500)";

/// Moved back where logins draw from it; repaired inline; sessions that end.
const SABOTAGE: &str = "
    SELECT setval('orders_id_seq', 1, false);
    SELECT setval('tickets_id_seq', 5, false); SELECT pgmedic.repair('tickets', 'id');
    INSERT INTO logins (expires_at) VALUES (now())";

/// Held by two guards, exhausted, nearly exhausted; unreadable and failing once LOCKS are held; sessions that
/// a guard holds.
const SHOP: &str = "
    CREATE TABLE poisoned (id serial PRIMARY KEY); INSERT INTO poisoned VALUES (657), (2000000000);
    SELECT setval('poisoned_id_seq', 657);
    CREATE TABLE at_the_end (id serial PRIMARY KEY); INSERT INTO at_the_end VALUES (2147483647);
    SELECT setval('at_the_end_id_seq', 2147483600);
    CREATE TABLE used (id serial PRIMARY KEY); SELECT setval('used_id_seq', 1700000000);
    CREATE TABLE used_up (id smallserial PRIMARY KEY); SELECT setval('used_up_id_seq', 32767);
    CREATE TABLE locked (id serial PRIMARY KEY);
    CREATE TABLE cached (id serial PRIMARY KEY); ALTER SEQUENCE cached_id_seq CACHE 20;
    INSERT INTO cached VALUES (500);
    CREATE TABLE carts (id bigserial PRIMARY KEY, expires_at timestamptz); CREATE INDEX ON carts (expires_at);
    INSERT INTO carts (expires_at) SELECT now() - interval '1 hour' FROM generate_series(1, 150)";

const LOCKS: &str = "BEGIN; LOCK TABLE locked IN ACCESS EXCLUSIVE MODE; ALTER SEQUENCE cached_id_seq CACHE 20";

/// A sequence that is used up while the test runs, and sessions that pile up.
const USE: &str = "
    SELECT setval('used_id_seq', last_value + 100000) FROM used_id_seq;
    INSERT INTO carts (expires_at) SELECT now() - interval '1 hour' FROM generate_series(1, 10)";

/// The guards that hold in [`SHOP`].
const HOLDS: [&str; 2] = ["far_ids", "limit"];

/// More than are exported by name, all behind.
const CROWD: &str = "
    DO $$ BEGIN
        FOR n IN 1..60 LOOP
            EXECUTE format('CREATE TABLE crowd_%s (id serial PRIMARY KEY)', n);
            EXECUTE format('INSERT INTO crowd_%s VALUES (7)', n);
        END LOOP;
    END $$";

async fn database(statements: &str) -> Database {
    let mut database = Database::new().await;
    database.sql(statements).await;
    database
}

/// Databases by the names that the agent shall call them.
fn config(databases: &[(&str, &str)], more: &str) -> NamedTempFile {
    let file = tempfile::Builder::new().suffix(".toml").tempfile().unwrap();
    let databases = databases.iter().map(|(name, url)| format!("[[databases]]\nname = \"{name}\"\nurl = \"{url}\"\n"));
    std::fs::write(file.path(), format!("{EVERY_SECOND}{more}{}", databases.collect::<String>())).unwrap();
    file
}

fn store(name: &str, database: &str) -> String {
    format!(
        "[[sessions]]\nname = \"{name}\"\ntable = \"public.{name}\"\nexpires_at = \"expires_at\"\n\
         encoding = \"timestamptz\"\nschedule = \"* * * * * *\"\ndatabase = \"{database}\"\n"
    )
}

/// Runs the statements again and again, each time in a new session, which reports its statistics when it ends.
fn again_and_again(url: &str, statements: &'static str) -> JoinHandle<()> {
    let url = url.to_owned();
    tokio::spawn(async move {
        loop {
            let mut session = PgConnection::connect(&url).await.unwrap();
            sqlx::raw_sql(statements).execute(&mut session).await.unwrap();
            session.close().await.unwrap();
            tokio::time::sleep(PACE).await;
        }
    })
}

/// Where an Alertmanager may post to, and the alerts that it did post.
async fn webhook() -> (SocketAddr, Arc<Mutex<Vec<Value>>>) {
    let alerts: Arc<Mutex<Vec<Value>>> = Arc::default();
    let posted = Arc::clone(&alerts);
    let receive = async move |Json(message): Json<Value>| {
        posted.lock().unwrap().extend(message["alerts"].as_array().unwrap().iter().cloned());
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().route("/", post(receive))).await });
    (address, alerts)
}

/// Waits until nothing is missing, for all together no longer than for one.
#[track_caller]
fn wait_for_all(what: &str, mut missing: impl FnMut() -> Vec<String>) {
    let deadline = Instant::now() + LONG_TIMEOUT;
    loop {
        let missing = missing();
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "timed out waiting for {what}: {missing:#?}");
        std::thread::sleep(PACE);
    }
}

/// `result` of a query; every series has the labels that its legend names.
fn answer(prometheus: &Prometheus, query: &Query, seconds: u64) -> Vec<Value> {
    let result = match query.instant {
        true => prometheus.query(&query.expression),
        false => prometheus.query_range(&query.expression, seconds),
    };
    for (series, label) in result.iter().flat_map(|series| query.named.iter().map(move |label| (series, label))) {
        assert!(series["metric"][label].is_string(), "{}: no {label} in {}", query.title, series["metric"]);
    }
    result
}

/// One series at least has a value.
fn says_something(result: &[Value]) -> bool {
    let values = result.iter().flat_map(|series| match series["values"].as_array() {
        Some(values) => values.as_slice(),
        None => std::slice::from_ref(&series["value"]),
    });
    values.map(|value| value[1].as_str().unwrap()).any(|value| value != "NaN")
}

/// For `make dashboards`: what all of them were answered, by panel and query.
fn write_down(file: &str, prometheus: &Prometheus, dashboards: &[Dashboard], seconds: u64) {
    let to = prometheus.now();
    let dashboards = dashboards.iter().map(|dashboard| {
        let mut answers = json!({});
        for query in dashboard.queries(seconds) {
            answers[query.title.as_str()][query.reference.as_str()] = answer(prometheus, &query, seconds).into();
        }
        json!({ "name": dashboard.name, "from": to - seconds as f64, "to": to, "answers": answers })
    });
    let written = json!({ "dashboards": dashboards.collect::<Vec<_>>() });
    std::fs::write(file, written.to_string()).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn dashboards_are_answered_and_what_should_fire_is_delivered() {
    let mut app = database(APP).await;
    app.install_sql().await;
    let shop = database(SHOP).await;
    let crowd = database(CROWD).await;
    let (one, another, elsewhere) = (Database::new().await, Database::new().await, Database::new().await);
    let mut dead = TestServer::start(&ServerOptions::default()).unwrap();
    let gone = dead.url("postgres");
    dead.stop_hard();
    let mut locks = shop.connect().await;
    sqlx::raw_sql(LOCKS).execute(&mut locks).await.unwrap();

    // It may repair, and cannot repair all of it.
    // One store is nowhere, so that its sweeps fail.
    let stores = [store("logins", "app"), store("carts", "shop"), store("nowhere", "twins")].concat();
    let databases = [("app", app.url()), ("shop", shop.url()), ("twins", one.url()), ("gone", &gone)];
    let repairs = Agent::run(config(&databases, &stores), &[]);
    // The leader of this database is not scraped. By another address, because the databases of one address have one leader.
    let elsewhere_url = server().tcp_url(&elsewhere.name).unwrap();
    let hidden = Agent::run(config(&[("elsewhere", &elsewhere_url)], ""), &["--dry-run"]);
    hidden.wait_until("pgmedic_leader{database=\"elsewhere\"}", |leader| leader == 1.0);
    let databases = [("crowd", crowd.url()), ("twins", another.url()), ("elsewhere", &elsewhere_url)];
    let looks = Agent::run(config(&databases, ""), &["--dry-run"]);
    let dies = Agent::run(config(&[("app", app.url())], ""), &[]);

    let (address, posted) = webhook().await;
    let agents = vec![repairs.address(), looks.address(), dies.address()];
    let jobs = [("pgmedic", agents), ("moved", vec![looks.address()])];
    let start = Instant::now();
    let prometheus = Prometheus::start(&jobs, address);
    let _saboteurs = [again_and_again(app.url(), SABOTAGE), again_and_again(shop.url(), USE)];

    let seen = "count(pgmedic_config_last_reload_successful == 1) == 4";
    wait_for_within(LONG_TIMEOUT, "four targets scraped", || (prometheus.query(seen).len() == 1).then_some(()));
    dies.signal(Signal::SIGKILL);
    prometheus.scrape("moved", &[]);
    repairs.edit(|text| text + "nonsense = true\n");
    repairs.signal(Signal::SIGHUP);

    let dashboards = Dashboard::all(&prometheus);
    let mut unanswered: Vec<(&Dashboard, usize)> = Vec::new();
    for dashboard in &dashboards {
        let queries = dashboard.queries(1).len();
        assert!(queries >= 20, "{queries}");
        unanswered.extend((0..queries).map(|number| (dashboard, number)));
    }
    wait_for_all("answers of the dashboards", || {
        let seconds = start.elapsed().as_secs() + 1;
        let is_answered = |dashboard: &Dashboard, number: usize| {
            says_something(&answer(&prometheus, &dashboard.queries(seconds)[number], seconds))
        };
        unanswered.retain(|(dashboard, number)| !is_answered(dashboard, *number));
        let described = unanswered.iter().map(|(dashboard, number)| {
            let Query { title, expression, .. } = &dashboard.queries(1)[*number];
            format!("{title} in {}: {expression}", dashboard.name)
        });
        described.collect()
    });

    let mut expected: Vec<(&str, String)> = HOLDS.iter().map(|reason| ("reason", (*reason).to_owned())).collect();
    expected.extend(prometheus.alerts().into_iter().map(|name| ("alertname", name)));
    wait_for_all("alerts, delivered and held", || {
        let posted = posted.lock().unwrap().clone();
        // One that came and went may be on its way back.
        let held = prometheus.delivered();
        expected.retain(|(label, value)| {
            let is_it = |alert: &&Value| alert["labels"][label] == **value;
            let Some(alert) = posted.iter().find(is_it) else { return true };
            let texts = alert["annotations"].to_string();
            assert!(WRONG.iter().all(|wrong| !texts.contains(wrong)), "{alert:#}");
            !held.iter().any(|alert| is_it(&alert))
        });
        expected.iter().map(|(label, value)| format!("{label} {value}")).collect()
    });
    if let Some(file) = std::env::var("PGMEDIC_DASHBOARD_ANSWERS").ok().filter(|file| !file.is_empty()) {
        write_down(&file, &prometheus, &dashboards, start.elapsed().as_secs());
    }
    assert!(repairs.log().contains("nonsense"), "{}", repairs.log());
    for agent in [repairs, looks, hidden] {
        agent.stop();
    }
}
