//! A tick, a dry run, a reload, a stop; what it shows.

use super::{EVERY_SECOND, REPAIRED, orders, rewind, series, sweeps};
use crate::support::{Agent, command, server, wait_for};
use nix::sys::signal::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;

#[tokio::test]
async fn drift_is_repaired_by_a_tick_and_its_cause_is_told() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 1.0);
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    agent.wait_until(&series("drift_detected_total", &database, "cause=\"rewound\",DATABASE"), |drift| drift == 1.0);
    assert_eq!(agent.metric(&series("sequences", &database, "DATABASE,verdict=\"in_sync\"")), Some(1.0));
    assert_eq!(agent.metric(&series("database_up", &database, "DATABASE")), Some(1.0));
    let log = agent.stop();
    assert!(log.contains("(cause: rewound) and was moved to 21"), "{log}");
}

#[tokio::test]
async fn a_dry_run_looks_and_changes_nothing() {
    let mut database = orders().await;
    rewind(&database).await;
    let config = database.config(&format!("{EVERY_SECOND}\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    let agent = Agent::run(config, &["--dry-run"]);
    agent.wait_until(&series("sequence_lag_values_max", &database, "DATABASE"), |lag| lag == 20.0);
    agent.passes_again(&database.name, 2.0);
    let drift = series("drift_detected_total", &database, "cause=\"unknown\",DATABASE");
    assert_eq!(agent.metric(&drift), Some(1.0), "the same drift is counted once");
    agent.stop();
    assert_eq!(database.nextval("orders_id_seq").await, 1);
}

#[tokio::test]
async fn it_works_at_intervals_and_without_an_endpoint_when_told_so() {
    let mut database = orders().await;
    rewind(&database).await;
    let config = database.config("[sequences]\nschedule = \"every 1s\"\n[http]\nlisten = \"off\"\n");
    let path = config.path().to_str().unwrap();
    let mut command = tokio::process::Command::from(command(&[("PGMEDIC_CONFIG", path)], &[]));
    let agent = command.stderr(std::process::Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    database.wait_until(REPAIRED).await;
    // The first pass is made at the start, and this one by the schedule.
    rewind(&database).await;
    database.wait_until(REPAIRED).await;
    let outcome = crate::support::pgmedic(&[], &["healthcheck", "--config", path]).exits(1);
    assert!(outcome.stderr.contains("http.listen is \"off\""), "{}", outcome.stderr);
    let pid = nix::unistd::Pid::from_raw(agent.id().unwrap().cast_signed());
    nix::sys::signal::kill(pid, Signal::SIGTERM).unwrap();
    let output = agent.wait_with_output().await.unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && log.contains("http.listen is off") && !log.contains("http://"), "{log}");
}

#[tokio::test]
async fn a_bad_configuration_is_refused_and_the_old_one_stays() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let accepted = "pgmedic_config_last_reload_successful";
    assert_eq!(agent.metric(accepted), Some(1.0));
    agent.edit(|text| text.replace("* * * * * *", "* * * * *"));
    agent.signal(Signal::SIGHUP);
    agent.wait_until(accepted, |accepted| accepted == 0.0);
    agent.logs("sequences.schedule");
    agent.passes_again(&database.name, 1.0);
    agent.edit(|text| text.replace("* * * * *", "*/2 * * * * *"));
    agent.signal(Signal::SIGHUP);
    agent.wait_until(accepted, |accepted| accepted == 1.0);
    let interval = series("pass_interval_seconds", &database, "DATABASE,pass=\"sequences\"");
    agent.wait_until(&interval, |seconds| seconds == 2.0);
    agent.passes_again(&database.name, 1.0);
    agent.stop();
}

#[tokio::test]
async fn a_reload_moves_the_port_and_the_log_level_and_an_address_that_is_taken_is_refused() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let old = agent.address();
    assert!(!agent.log().contains(" DEBUG "));
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    agent.edit(|text| text.replace("127.0.0.1:0", &taken.local_addr().unwrap().to_string()));
    agent.signal(Signal::SIGHUP);
    agent.logs("the new configuration is refused, the old one stays in force: http.listen");
    assert_eq!(agent.metric("pgmedic_config_last_reload_successful"), Some(0.0));
    agent.passes_again(&database.name, 1.0);

    agent.edit(|text| {
        let text = text.replace(&taken.local_addr().unwrap().to_string(), "127.0.0.2:0");
        format!("{text}\n[log]\nlevel = \"debug\"\n")
    });
    agent.signal(Signal::SIGHUP);
    agent.logs("listening on http://127.0.0.2:");
    agent.logs(" DEBUG ");
    wait_for("the old port is closed", || TcpStream::connect(old).is_err().then_some(()));
    agent.stop();
}

#[tokio::test]
async fn a_reload_widens_the_address_on_the_port_that_it_has() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (from, to) in [("127.0.0.1:0", free.to_string()), ("127.0.0.1:", "0.0.0.0:".to_owned())] {
        agent.edit(|text| text.replace(from, &to));
        agent.signal(Signal::SIGHUP);
        agent.logs(&format!(
            "listening on http://{}",
            if to.ends_with(':') { format!("{to}{}", free.port()) } else { to }
        ));
    }
    agent.signal(Signal::SIGTERM);
    let (status, log) = agent.ended();
    assert!(status.success() && !log.contains("refused"), "{status}: {log}");
}

#[tokio::test]
async fn it_can_be_stopped_in_the_middle_of_a_reload() {
    let mut database = orders().await;
    let settings = "[sequences]\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let agent = Agent::start(&database, settings);
    crate::support::wait_until_blocked_on(&mut database.connection, "orders").await;
    agent.signal(Signal::SIGHUP);
    agent.signal(Signal::SIGTERM);
    let (status, log) = agent.ended();
    assert!(status.success() && !log.contains("did not end in time"), "{status}: {log}");
}

/// Answers the first connection with a message that the driver panics on, and forwards all others to the common server.
fn treacherous() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let real: SocketAddr = {
        let url = server().tcp_url("postgres").unwrap();
        let (_, rest) = url.split_once('@').unwrap();
        rest.split('/').next().unwrap().parse().unwrap()
    };
    std::thread::spawn(move || {
        let (mut first, _) = listener.accept().unwrap();
        let mut startup = [0; 8];
        first.read_exact(&mut startup).unwrap();
        // Welcome, and a key for cancelling that is cut short.
        first.write_all(b"R\0\0\0\x08\0\0\0\0K\0\0\0\x04").unwrap();
        std::thread::spawn(move || std::io::copy(&mut first, &mut std::io::sink()));
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(real).unwrap());
            let pairs = [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))];
            for (from, to) in pairs {
                let (mut from, mut to) = (from.unwrap(), to.unwrap());
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    address
}

#[tokio::test]
async fn a_pass_that_panics_is_counted_and_the_next_one_still_runs() {
    let mut database = orders().await;
    rewind(&database).await;
    let url = format!("postgres://postgres@{}/{}?sslmode=disable", treacherous(), database.name);
    let agent = Agent::start_at(&url, &database, EVERY_SECOND);
    database.wait_until(REPAIRED).await;
    let failures = series("pass_failures_total", &database, "DATABASE,pass=\"sequences\"");
    agent.wait_until(&failures, |failures| failures == 1.0);
    agent.wait_until(&series("database_up", &database, "DATABASE"), |up| up == 1.0);
    let log = agent.stop();
    assert!(log.contains("a pass panicked: this is a defect of pgmedic"), "{log}");
}

#[tokio::test]
async fn a_stopped_and_continued_agent_goes_on() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 1.0);
    agent.signal(Signal::SIGSTOP);
    rewind(&database).await;
    let now = database.row("SELECT now()::text").await;
    let now: String = sqlx::Row::get(&now, 0);
    database.wait_until(&format!("SELECT clock_timestamp() > '{now}'::timestamptz + interval '10 seconds'")).await;
    agent.signal(Signal::SIGCONT);
    database.wait_until(REPAIRED).await;
    agent.passes_again(&database.name, 2.0);
    agent.stop();
}

#[tokio::test]
async fn a_pass_that_is_held_up_is_cancelled_on_the_server_too() {
    let mut database = orders().await;
    let settings = "[sequences]\nschedule = \"0 0 * * * *\"\nlock_timeout = \"100s\"\nstatement_timeout = \"100s\"\n";
    let mut holder = database.connect().await;
    sqlx::raw_sql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE").execute(&mut holder).await.unwrap();
    let agent = Agent::start(&database, settings);
    crate::support::wait_until_blocked_on(&mut database.connection, "orders").await;
    agent.signal(Signal::SIGINT);
    let (status, log) = agent.ended();
    assert!(status.success() && !log.contains("did not end in time"), "{status}: {log}");
    database
        .wait_until("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '/* pgmedic:%')")
        .await;
}

#[tokio::test]
async fn unchanged_tables_are_not_read_again() {
    let mut database = orders().await;
    database.sql("CREATE TABLE items (id serial PRIMARY KEY); INSERT INTO items DEFAULT VALUES").await;
    let agent =
        Agent::start(&database, &format!("{EVERY_SECOND}full_pass_every = 1000000\n[log]\nlevel = \"debug\"\n"));
    database.wait_until(REPAIRED).await;
    wait_for("a quiet pass", || agent.log().contains("changed=0").then_some(()));
    let mut visitor = database.connect().await;
    sqlx::raw_sql("INSERT INTO items DEFAULT VALUES").execute(&mut visitor).await.unwrap();
    sqlx::Connection::close(visitor).await.unwrap();
    wait_for("a pass that reads one", || agent.log().contains("changed=1").then_some(()));
    agent.stop();
}

#[tokio::test]
async fn every_metric_in_the_documents_is_there_and_every_metric_is_in_the_documents() {
    let database = sweeps::logins(1, 1).await;
    rewind(&database).await;
    let config = database.config(&sweeps::settings("\n[http]\nlisten = \"127.0.0.1:0\"\n"));
    // In a dry run the drift stays, and with it the series of what needs attention.
    let agent = Agent::run(config, &["--dry-run"]);
    agent.wait_until(&series("sequence_lag_values_max", &database, "DATABASE"), |lag| lag == 20.0);
    agent.wait_until(&series("sessions_stale", &database, "DATABASE,store=\"logins\""), |stale| stale == 1.0);
    // What is counted follows what is shown.
    for pass in ["sequences", "sessions"] {
        let runs = series("pass_runs_total", &database, &format!("DATABASE,pass=\"{pass}\""));
        agent.wait_until(&runs, |runs| runs >= 1.0);
    }
    let (_, metrics) = agent.get("/metrics");
    let document = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/agent.md")).unwrap();
    let documented: Vec<&str> = document
        .split('`')
        .filter(|word| word.starts_with("pgmedic_") && word.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
        .collect();
    assert!(documented.len() > 15);
    // There is no pace yet.
    for name in documented.iter().filter(|name| **name != "pgmedic_sequence_days_left_min") {
        assert!(metrics.contains(&format!("# TYPE {name} ")), "{name} is documented and not there");
    }
    for name in metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()) {
        assert!(name.starts_with("process_") || documented.contains(&name), "{name} is there and not documented");
    }
    agent.stop();
}

#[tokio::test]
async fn no_request_changes_anything_and_unknown_pages_are_not_found() {
    let database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&series("leader", &database, "DATABASE"), |leads| leads == 1.0);
    assert_eq!(agent.get("/nowhere").0, 404);
    let (status, reports) = agent.get("/api/v1/reports");
    assert_eq!(status, 200);
    let reports: serde_json::Value = serde_json::from_str(&reports).unwrap();
    assert_eq!(reports["databases"][0]["name"], database.name.as_str());
    agent.stop();
}

#[tokio::test]
async fn the_interval_shown_is_the_schedules() {
    for (schedule, seconds) in [("* * * * * *", 1.0), ("*/2 * * * * *", 2.0), ("0 * * * * *", 60.0)] {
        let database = orders().await;
        let agent = Agent::start(&database, &format!("[sequences]\nschedule = \"{schedule}\"\n"));
        let interval = series("pass_interval_seconds", &database, "DATABASE,pass=\"sequences\"");
        assert_eq!(agent.wait_until(&interval, |_| true), seconds, "{schedule}");
        agent.stop();
    }
}
