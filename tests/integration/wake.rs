//! `NOTIFY pgmedic` starts a pass, from any session and with any payload.

use crate::support::{Agent, Database, EVERY_SECOND, Pooler, server, wait_for};
use nix::sys::signal::Signal;
use pgmedic_testserver::{ServerOptions, TestServer};
use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

/// A schedule that does not tick during a test.
const HOURLY: &str = "[sequences]\nschedule = \"0 0 * * * *\"\n";

const DRIFT: &str = "SELECT setval('orders_id_seq', 1, false)";
const REPAIRED: &str = "SELECT last_value = 20 FROM orders_id_seq";

async fn orders() -> Database {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 20)").await;
    database
}

/// An agent that has repaired what was behind when it started, and listens.
async fn listening_agent(database: &mut Database, settings: &str) -> Agent {
    database.sql(DRIFT).await;
    let agent = Agent::start(database, settings);
    // The pass is over then: it goes on after the repair.
    agent.has_advanced(&database.name, 1.0);
    agent.logs("listening for NOTIFY pgmedic");
    agent
}

#[tokio::test]
async fn drift_is_repaired_as_soon_as_it_is_told() {
    let mut database = orders().await;
    let agent = listening_agent(&mut database, HOURLY).await;
    for notify in ["NOTIFY pgmedic", "NOTIFY pgmedic, 'public.orders'", "SELECT pg_notify('pgmedic', 'orders_id_seq')"]
    {
        database.sql(DRIFT).await;
        database.sql(notify).await;
        database.wait_until(REPAIRED).await;
    }
    agent.stop();
}

#[tokio::test]
async fn what_the_servers_statistics_do_not_know_yet_is_seen() {
    let mut database = orders().await;
    database.sql(DRIFT).await;
    // What a session has not reported is reported when it ends.
    let other = database.connect().await;
    std::mem::replace(&mut database.connection, other).close().await.unwrap();
    let agent = Agent::start(&database, HOURLY);
    agent.has_advanced(&database.name, 1.0);
    // One pass more, which finds nothing to do.
    let before = agent.passes(&database.name);
    database.sql("NOTIFY pgmedic").await;
    wait_for("a pass", || (agent.passes(&database.name) > before).then_some(()));

    // A session reports at most once a second, and then only at the end of a statement or after a while.
    let mut quick = database.connect().await;
    sqlx::raw_sql("SELECT count(*) FROM orders").execute(&mut quick).await.unwrap();
    sqlx::raw_sql(DRIFT).execute(&mut quick).await.unwrap();
    database.sql("NOTIFY pgmedic").await;
    agent.has_advanced(&database.name, 2.0);
    quick.close().await.unwrap();
    agent.stop();
}

#[tokio::test]
async fn two_hundred_notifications_make_few_passes_and_the_last_has_its_effect() {
    let mut database = orders().await;
    let agent = listening_agent(&mut database, HOURLY).await;
    let before = agent.passes(&database.name);
    // All of them are there before it can look at the first.
    agent.signal(Signal::SIGSTOP);
    for number in 0..200 {
        database.sql(&format!("NOTIFY pgmedic, '{number}'")).await;
    }
    database.sql(DRIFT).await;
    database.sql("NOTIFY pgmedic").await;
    agent.signal(Signal::SIGCONT);
    database.wait_until(REPAIRED).await;
    // One for the first, one for the rest, and room for an unlucky moment; and then none any more.
    database.sql("SELECT pg_sleep(4)").await;
    let passes = agent.passes(&database.name) - before;
    assert!((1.0..=4.0).contains(&passes), "{passes} passes for 201 notifications");
    agent.stop();
}

#[tokio::test]
async fn what_a_notification_says_is_neither_run_nor_logged() {
    let mut database = orders().await;
    let name = format!("{}_bytes", database.name);
    // No encoding at all: a payload may be any bytes.
    database.sql(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING SQL_ASCII")).await;
    let mut bytes = PgConnection::connect(&server().url(&name)).await.unwrap();
    let config = database.config(&format!(
        "{HOURLY}[log]\nlevel = \"debug\"\n[http]\nlisten = \"127.0.0.1:0\"\n[[databases]]\nname = \"{name}\"\nurl = \"{}\"\nmax_connections = 5",
        server().url(&name)
    ));
    let agent = Agent::run(config, &[]);
    for database in [&database.name, &name] {
        agent.logs(&format!("listening for NOTIFY pgmedic in {database}"));
    }

    let hostile =
        "SELECT pg_notify('pgmedic', repeat(E'public.orders\"''; DROP TABLE orders; --\\n\\x1b[2J\\x07', 180))";
    database.sql(DRIFT).await;
    database.sql(hostile).await;
    database.sql("SELECT pg_notify('pgmedic', repeat('x', 7999))").await;
    database.wait_until(REPAIRED).await;
    let before = agent.passes(&name);
    sqlx::raw_sql("SET client_encoding = SQL_ASCII; SELECT pg_notify('pgmedic', E'\\xff\\xfe\\x80')")
        .execute(&mut bytes)
        .await
        .unwrap();
    wait_for("a pass", || (agent.passes(&name) > before).then_some(()));
    database.sql(DRIFT).await;
    database.sql("NOTIFY pgmedic").await;
    database.wait_until(REPAIRED).await;
    let log = agent.stop();
    assert!(!log.contains("DROP TABLE") && !log.contains('\u{1b}') && !log.contains("xxxx"), "{log}");
    bytes.close().await.unwrap();
}

#[tokio::test]
async fn a_named_table_or_sequence_is_read_and_no_other_and_an_unknown_name_has_everything_read() {
    let mut database = orders().await;
    database
        .sql("CREATE TABLE \"Items\" (id serial PRIMARY KEY); CREATE SCHEMA shop; CREATE TABLE shop.orders (id serial)")
        .await;
    let settings = format!("{HOURLY}full_pass_every = 1000000\n[log]\nlevel = \"debug\"");
    let agent = listening_agent(&mut database, &settings).await;
    let read = |agent: &Agent| {
        let log = agent.log();
        let counts = log.lines().filter_map(|line| line.split_once(" changed=")?.1.split(' ').next()?.parse().ok());
        counts.collect::<Vec<u32>>()
    };
    // Until the server's statistics have caught up with what was done so far.
    wait_for("a pass with nothing to read", || {
        let before = read(&agent).len();
        notify(&database, "\"Items\"");
        wait_for("a pass", || (read(&agent).len() > before).then_some(()));
        (read(&agent).last() == Some(&1)).then_some(())
    });
    for (said, reads) in [
        ("public.orders", 1),
        ("shop.orders_id_seq", 1),
        ("orders", 2),
        ("\"Items_id_seq\"", 1),
        ("Items", 3),
        ("", 3),
        ("no name", 3),
    ] {
        let before = read(&agent).len();
        notify(&database, said);
        wait_for("a pass", || (read(&agent).len() > before).then_some(()));
        assert_eq!(read(&agent).last(), Some(&reads), "{said:?}:\n{}", agent.log());
    }
    agent.stop();
}

/// In a new session.
fn notify(database: &Database, payload: &str) {
    let options = database.url().parse::<PgConnectOptions>().unwrap();
    let payload = payload.to_owned();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            sqlx::query("SELECT pg_notify('pgmedic', $1)").bind(payload).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    })
    .join()
    .unwrap();
}

/// Our idle connections in this database that hold the lease, on which notifications arrive.
const LISTENS: &str = "state = 'idle' AND EXISTS (SELECT FROM pg_locks l WHERE l.pid = pg_stat_activity.pid \
                       AND l.locktype = 'advisory' AND l.classid = 1885826404)";

fn listeners(database: &Database) -> String {
    format!("SELECT count(*) FROM pg_stat_activity WHERE datname = '{}' AND {LISTENS}", database.name)
}

#[tokio::test]
async fn only_the_leader_listens() {
    let mut database = orders().await;
    let leader = listening_agent(&mut database, EVERY_SECOND).await;
    let standby = Agent::start(&database, EVERY_SECOND);
    standby.logs("is standby on");
    let listening = listeners(&database);
    assert_eq!(database.number(&listening).await, 1);
    leader.stop();
    standby.logs("listening for NOTIFY pgmedic");
    assert_eq!(database.number(&listening).await, 1);
    standby.stop();
    database.wait_until(&format!("SELECT ({listening}) = 0")).await;
}

#[tokio::test]
async fn a_lost_connection_is_opened_again_and_what_was_missed_is_looked_for() {
    let mut database = orders().await;
    let agent = listening_agent(&mut database, HOURLY).await;
    let listening = listeners(&database);
    // The connection is cut off, and a notification of drift is lost.
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {LISTENS} AND datname = current_database()"
    );
    database.sql(&format!("{DRIFT}; {cut}")).await;
    database.sql("NOTIFY pgmedic").await;
    database.wait_until(REPAIRED).await;
    database.wait_until(&format!("SELECT ({listening}) = 1")).await;
    database.sql(DRIFT).await;
    database.sql("NOTIFY pgmedic").await;
    database.wait_until(REPAIRED).await;
    agent.stop();
}

#[tokio::test]
async fn a_server_that_ends_idle_sessions_does_not_end_the_one_that_listens() {
    let mut database = orders().await;
    let version = database.number("SELECT current_setting('server_version_num')::bigint").await;
    if version >= 140_000 {
        database.sql(&format!("ALTER DATABASE {} SET idle_session_timeout = '500ms'", database.name)).await;
    }
    let agent = listening_agent(&mut database, HOURLY).await;
    let listener = format!("SELECT pid::bigint FROM pg_stat_activity WHERE {LISTENS} AND datname = current_database()");
    let pid = database.number(&listener).await;
    let passes = agent.passes(&database.name);
    database.sql("SELECT pg_sleep(3)").await;
    assert_eq!(database.number(&listener).await, pid);
    assert_eq!(agent.passes(&database.name), passes);
    agent.stop();
}

#[tokio::test]
async fn it_can_be_switched_off_and_on_by_a_reload() {
    let mut database = orders().await;
    database.sql(DRIFT).await;
    let agent = Agent::start(&database, &format!("{HOURLY}listen_notify = false"));
    agent.has_advanced(&database.name, 1.0);
    // The lease stays on its connection, which receives nothing.
    let listening = listeners(&database);
    database.wait_until(&format!("SELECT ({listening}) = 1")).await;
    let before = agent.passes(&database.name);
    database.sql(DRIFT).await;
    database.sql("NOTIFY pgmedic").await;
    // A notification that was heard would have started a pass by then.
    database.sql("SELECT pg_sleep(2)").await;
    assert_eq!(agent.passes(&database.name), before);
    assert!(!["NOTIFY", "LISTEN"].iter().any(|word| agent.log().contains(word)), "{}", agent.log());

    agent.edit(|text| text.replace("listen_notify = false", "listen_notify = true"));
    agent.signal(Signal::SIGHUP);
    agent.logs("listening for NOTIFY pgmedic");
    database.wait_until(REPAIRED).await;
    agent.stop();
}

#[tokio::test]
async fn on_a_replica_nothing_is_heard_until_it_is_promoted() {
    let mut server = TestServer::start(&ServerOptions::default()).unwrap();
    let mut database = Database::on(&server).await;
    database
        .sql(&format!("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (20); {DRIFT}"))
        .await;
    std::fs::write(server.data_dir().join("standby.signal"), "").unwrap();
    server.restart().unwrap();

    let agent = Agent::start(&database, EVERY_SECOND);
    agent.passes_again(&database.name, 3.0);
    assert!(!["NOTIFY", "LISTEN"].iter().any(|word| agent.log().contains(word)), "{}", agent.log());

    database.connection = database.connect().await;
    database.sql("SELECT pg_promote()").await;
    agent.logs("listening for NOTIFY pgmedic");
    database.wait_until(REPAIRED).await;
    agent.stop();
}

#[tokio::test]
async fn through_a_pooler_in_transaction_mode_it_is_said_once_and_nothing_is_left_behind() {
    let mut database = orders().await;
    let pooler = Pooler::start(server(), "transaction");
    let url = pooler.url(&database.name);
    let agent = Agent::start_at(&url, &database, EVERY_SECOND);

    agent.logs("a pooler in transaction mode");

    // Clients that share its server connections must not receive its notifications.
    // sqlx sends a parameter that PgBouncer refuses.
    let options = url.parse::<PgConnectOptions>().unwrap().extra_float_digits(None);
    let mut others = Vec::new();
    for _ in 0..8 {
        let mut other = PgConnection::connect_with(&options).await.unwrap();
        sqlx::raw_sql("BEGIN").execute(&mut other).await.unwrap();
        let channels = "SELECT count(*) FROM pg_listening_channels()";
        let row = sqlx::raw_sql(channels).fetch_one(&mut other).await.unwrap();
        assert_eq!(row.get::<i64, _>(0), 0);
        others.push(other);
    }
    drop(others);
    database.sql(DRIFT).await;
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 3.0);
    let log = agent.stop();
    assert_eq!(log.matches("cannot LISTEN").count(), 1, "{log}");
    assert!(!log.contains("listening for NOTIFY"), "{log}");
}

#[tokio::test]
async fn through_a_pooler_in_session_mode_it_is_heard() {
    let mut database = orders().await;
    let pooler = Pooler::start(server(), "session");
    let agent = Agent::start_at(&pooler.url(&database.name), &database, HOURLY);
    agent.logs("listening for NOTIFY pgmedic");
    database.sql(DRIFT).await;
    database.sql("NOTIFY pgmedic").await;
    database.wait_until(REPAIRED).await;
    agent.stop();
}
