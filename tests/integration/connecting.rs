//! docs/connecting.md: every form of a connection string in its table, tried with psql and with pgmedic on a real server.

mod certificates;
mod refusals;

use pgmedic::db::{BoundedConnection, ConnectTarget, conninfo};
use pgmedic_core::Timeouts;
use pgmedic_testserver::{ServerOptions, TestServer};
use std::collections::HashMap;
use std::fs;
use std::net::TcpListener;
use std::process::Command;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A row of the table: the form, what psql does, what pgmedic does.
struct Row {
    form: String,
    psql: String,
    pgmedic: String,
}

fn rows() -> Vec<Row> {
    let page = fs::read_to_string("docs/connecting.md").unwrap();
    let cells = |line: &str| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = page.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| Row {
        form: cells[0].trim_matches('`').to_owned(),
        psql: cells[1].clone(),
        pgmedic: cells[2].clone(),
    })
    .collect()
}

/// The variables in front of a form, and the connection string.
fn split(form: &str) -> (HashMap<String, String>, String) {
    let (mut variables, mut rest) = (HashMap::new(), form);
    while let Some((word, after)) = rest.split_once(' ').filter(|(word, _)| word.starts_with("PG")) {
        let (name, value) = word.split_once('=').unwrap();
        variables.insert(name.to_owned(), value.to_owned());
        rest = after;
    }
    (variables, if rest == "''" { String::new() } else { rest.to_owned() })
}

fn psql(variables: &HashMap<String, String>, conninfo: &str) -> String {
    let mut command = Command::new("psql");
    command.args(["-XAtqc", "SELECT 1", "-d", conninfo]).env_clear().env("PATH", std::env::var("PATH").unwrap());
    let answer = command.envs(variables).output().unwrap();
    if answer.status.success() { "connects" } else { "refused" }.to_owned()
}

async fn pgmedic(variables: &HashMap<String, String>, conninfo: &str) -> String {
    let target = match conninfo::parse(&conninfo.into(), &|name| variables.get(name).cloned()) {
        Ok(target) => target,
        Err(error) => return format!("refused: {error}"),
    };
    let ignored = if target.ignored.is_empty() { "" } else { ", with a warning" };
    match connect(&target).await {
        Ok(()) => format!("connects{ignored}"),
        Err(error) => format!("refused: {error}"),
    }
}

async fn connect(target: &ConnectTarget) -> Result<(), String> {
    let timeouts = Timeouts { lock: Duration::from_secs(1), statement: Duration::from_secs(5) };
    let connected = BoundedConnection::connect(target, timeouts, &CancellationToken::new()).await;
    connected.map_err(|error| error.to_string())?.close().await;
    Ok(())
}

/// The error of this connection string, which must not connect.
async fn error_of(url: &str) -> String {
    let target = conninfo::parse(&url.into(), &|_| None).unwrap_or_else(|error| panic!("{url}: {error}"));
    connect(&target).await.map(|()| url.to_owned()).unwrap_err()
}

async fn connects(url: &str) {
    let target = conninfo::parse(&url.into(), &|_| None).unwrap_or_else(|error| panic!("{url}: {error}"));
    connect(&target).await.unwrap_or_else(|error| panic!("{url}: {error}"));
}

#[tokio::test]
async fn every_form_of_the_page_does_what_the_page_says() {
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    let addresses = if has_ipv6 { "127.0.0.1,::1" } else { "127.0.0.1" };
    let settings = vec![("listen_addresses".to_owned(), addresses.to_owned())];
    let server = TestServer::start(&ServerOptions { tcp: true, settings, ..ServerOptions::default() }).unwrap();
    let (url, folder) = (server.tcp_url("postgres").unwrap(), tempfile::tempdir().unwrap());
    let port = url.rsplit_once(':').unwrap().1.split('/').next().unwrap().to_owned();
    let socket = server.data_dir().parent().unwrap().display().to_string();
    for database in ["app", "my db"] {
        let created =
            Command::new("psql").args(["-Xqd", &url, "-c", &format!("CREATE DATABASE \"{database}\"")]).status();
        assert!(created.unwrap().success());
    }
    let services = folder.path().join("services");
    fs::write(&services, format!("[app]\nhost=127.0.0.1\nport={port}\nuser=postgres\ndbname=app\n")).unwrap();
    let fill = |form: &str| {
        let form = form.replace("%2Frun%2Fpostgresql", &socket.replace('/', "%2F")).replace("/run/postgresql", &socket);
        form.replace("5432", &port).replace("/etc/pg_service.conf", &services.display().to_string())
    };
    let rows = rows();
    assert!(rows.len() >= 150, "{} forms", rows.len());
    let mut wrong = Vec::new();
    for row in rows.iter().filter(|row| has_ipv6 || !row.form.contains("::1")) {
        let (mut variables, conninfo) = split(&fill(&row.form));
        variables.insert("HOME".to_owned(), folder.path().display().to_string());
        let found = (psql(&variables, &conninfo), pgmedic(&variables, &conninfo).await);
        let fits = found.0 == row.psql
            && (found.1 == row.pgmedic || row.pgmedic == "refused" && found.1.starts_with("refused: "));
        if !fits {
            wrong.push(format!("| `{}` | {} | {} |", row.form, found.0, found.1));
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}
