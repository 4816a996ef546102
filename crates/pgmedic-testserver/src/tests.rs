//! Tests with real servers, about a second each.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use sqlx::{Connection, PgConnection};

use crate::*;

fn start(options: &ServerOptions) -> TestServer {
    TestServer::start(options).unwrap_or_else(|error| panic!("{error}"))
}

async fn ask(url: &str, question: &'static str) -> Result<String, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    sqlx::query_scalar(question).fetch_one(&mut connection).await
}

async fn execute(url: &str, statement: &'static str) {
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::raw_sql(statement).execute(&mut connection).await.unwrap();
}

fn listens(port: u16) -> bool {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[tokio::test]
async fn a_fresh_server_answers_by_socket_and_by_tcp_as_it_was_asked_to() {
    let server = start(&ServerOptions {
        tcp: true,
        settings: vec![("work_mem".into(), "5MB".into()), ("fsync".into(), "on".into())],
        hba: Some("local all postgres trust\nhost all postgres 127.0.0.1/32 trust\n".into()),
        ..Default::default()
    });
    let url = server.url("postgres");
    for (question, answer) in [
        ("SELECT current_setting('work_mem')", "5MB"),
        ("SELECT current_setting('fsync')", "on"),
        ("SELECT current_setting('full_page_writes')", "off"),
        ("SELECT current_setting('server_encoding') || ' ' || current_setting('TimeZone')", "UTF8 UTC"),
        ("SELECT datcollate::text FROM pg_database WHERE datname = 'postgres'", "C"),
        ("SELECT split_part(current_setting('server_version'), ' ', 1)", server.version()),
        ("SELECT current_setting('data_directory')", &server.data_dir().to_string_lossy()),
    ] {
        assert_eq!(ask(&url, question).await.unwrap(), answer, "{question}");
    }
    let by_tcp = ask(&server.tcp_url("postgres").unwrap(), "SELECT host(inet_server_addr())").await;
    assert_eq!(by_tcp.unwrap(), "127.0.0.1");

    let mode = fs::metadata(&server.home).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700, "others may reach the socket");

    execute(&url, "CREATE ROLE stranger LOGIN").await;
    let refused = ask(&url.replace("user=postgres", "user=stranger"), "SELECT 'in'").await.unwrap_err();
    assert!(refused.to_string().contains("no pg_hba.conf entry"), "{refused}");
}

#[tokio::test]
async fn a_database_of_any_name_has_a_url() {
    let server = start(&ServerOptions::default());
    assert_eq!(server.tcp_url("postgres"), None);
    execute(&server.url("postgres"), r#"CREATE DATABASE "/ä ?#%&+=x""#).await;
    let name = ask(&server.url("/ä ?#%&+=x"), "SELECT current_database()::text").await;
    assert_eq!(name.unwrap(), "/ä ?#%&+=x");
}

#[test]
fn dropping_a_server_leaves_nothing_behind() {
    let server = start(&ServerOptions { tcp: true, ..Default::default() });
    let (home, port) = (server.home.clone(), server.port);
    assert!(home.exists() && listens(port));
    drop(server);
    assert!(!home.exists() && !listens(port));
}

#[tokio::test]
async fn a_server_killed_hard_comes_back_with_its_data_while_a_session_is_still_leaving() {
    let mut server = start(&ServerOptions::default());
    let url = server.url("postgres");
    execute(&url, "CREATE TABLE kept AS SELECT 'here' AS what").await;
    let mut session = PgConnection::connect(&url).await.unwrap();
    let first = server.pid();

    server.stop_hard();
    assert_eq!(server.pid(), None);
    server.restart().unwrap();

    assert_ne!(server.pid(), first);
    assert!(session.ping().await.is_err());
    assert_eq!(ask(&url, "SELECT what FROM kept").await.unwrap(), "here");
}

#[tokio::test]
async fn a_server_whose_port_is_taken_starts_on_another() {
    let other = start(&ServerOptions { tcp: true, ..Default::default() });
    let mut server = start(&ServerOptions { tcp: true, ..Default::default() });
    server.port = other.port;
    server.restart().unwrap();
    assert_ne!(server.port, other.port);
    let url = server.tcp_url("postgres").unwrap();
    let data = ask(&url, "SELECT current_setting('data_directory')").await;
    assert_eq!(data.unwrap(), server.data_dir().to_string_lossy());
}

#[test]
fn a_server_that_cannot_start_says_what_its_log_says() {
    let settings = vec![("no_such_setting".to_owned(), "1".to_owned())];
    let error = TestServer::start(&ServerOptions { settings, ..Default::default() }).unwrap_err();
    assert!(error.to_string().contains("unrecognized configuration parameter \"no_such_setting\""), "{error}");
}

/// Set for the copy of this test program that the test kills.
const OWNER: &str = "PGMEDIC_TEST_OWNER";

#[test]
fn nothing_outlives_an_owner_that_is_killed() {
    let this_test = thread::current().name().unwrap().to_owned();
    if std::env::var_os(OWNER).is_some() {
        let server = start(&ServerOptions { tcp: true, ..Default::default() });
        println!("\nserver {} {}", server.port, server.home.display());
        // Never returns: the pipe stays open until this process is killed.
        let _ = io::stdin().read(&mut [0]);
        return;
    }

    let mut owner = Command::new(std::env::current_exe().unwrap())
        .args([&this_test, "--exact", "--nocapture"])
        .env(OWNER, "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(owner.stdout.take().unwrap()).lines().map(Result::unwrap);
    let line = lines.find(|line| line.starts_with("server ")).expect("the owner starts a server");
    let [_, port, home] = line.splitn(3, ' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
    let (home, port) = (Path::new(home), port.parse().unwrap());
    assert!(home.exists() && listens(port));

    owner.kill().unwrap();
    owner.wait().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    assert!(poll_until(deadline, || (!home.exists()).then_some(())).is_some(), "{} is still there", home.display());
    assert!(!listens(port), "the server outlived its directory");
}
