//! The scripts of deploy/gate, as a workflow runs them.

use crate::support::{Database, Outcome};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Runs a script with pgmedic on the PATH, or without.
fn script(name: &str, with_pgmedic: bool, variables: &[(&str, &str)]) -> Outcome {
    let binaries = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().unwrap();
    let path = if with_pgmedic { format!("{}:/usr/bin:/bin", binaries.display()) } else { "/usr/bin:/bin".to_owned() };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gate").join(name);
    let mut command = Command::new("bash");
    command.arg(script).env_clear().env("PATH", path).envs(variables.iter().copied());
    Outcome::of(command.output().unwrap())
}

#[tokio::test]
async fn the_gate_ends_with_the_exit_code_and_fills_the_summary_and_the_output() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)").await;
    let folder = tempfile::tempdir().unwrap();
    let (summary, output) = (folder.path().join("summary"), folder.path().join("output"));
    let variables = [
        ("DATABASE_URL", database.url()),
        ("GITHUB_STEP_SUMMARY", summary.to_str().unwrap()),
        ("GITHUB_OUTPUT", output.to_str().unwrap()),
    ];
    let outcome = script("gate.sh", true, &variables).exits(3);
    assert!(outcome.stdout.contains("public.orders_id_seq") && outcome.stderr.contains("::error::"), "{outcome:?}");
    assert_eq!(std::fs::read_to_string(&output).unwrap(), "exit-code=3\n");
    assert!(std::fs::read_to_string(&summary).unwrap().contains("     behind  public.orders_id_seq"));
    assert_eq!(database.nextval("orders_id_seq").await, 1, "a dry run is the default");

    let repairs = [("DATABASE_URL", database.url()), ("GATE_ARGUMENTS", "")];
    script("gate.sh", true, &repairs).exits(0);
    assert_eq!(database.nextval("orders_id_seq").await, 8);
}

#[test]
fn the_installation_leaves_a_pgmedic_that_is_there_and_asks_for_a_version_otherwise() {
    let there = script("install.sh", true, &[]).exits(0);
    assert!(there.stdout.starts_with("pgmedic "), "{}", there.stdout);
    let refused = script("install.sh", false, &[("ACTION_REF", "main")]).exits(2);
    assert!(refused.stderr.contains("found version \"main\", expected one such as 0.1.0"), "{}", refused.stderr);
}

/// A release of the version 9.8.7 whose program is the one under test, and its checksums.
fn release(folder: &Path) -> String {
    let name = format!(
        "pgmedic-9.8.7-{}",
        if cfg!(target_arch = "x86_64") { "x86_64-unknown-linux-musl" } else { "aarch64-unknown-linux-gnu" }
    );
    fs::create_dir(folder.join(&name)).unwrap();
    let program = folder.join(&name).join("pgmedic");
    fs::write(&program, format!("#!/bin/sh\nexec {} \"$@\"\n", env!("CARGO_BIN_EXE_pgmedic"))).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let pack = format!("tar czf {name}.tar.gz {name} && sha256sum *.tar.gz > SHA256SUMS");
    assert!(Command::new("sh").args(["-c", &pack]).current_dir(folder).status().unwrap().success());
    format!("{name}.tar.gz")
}

/// Answers two requests with files of a folder; returns the address, and the requested paths at the end.
fn serve(folder: PathBuf) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers = move || {
        let answer = |_| {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
            let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            let path = head[0].split(' ').nth(1).unwrap().to_owned();
            let content = fs::read(folder.join(path.rsplit('/').next().unwrap())).unwrap();
            write!(stream, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", content.len())
                .unwrap();
            stream.write_all(&content).unwrap();
            path
        };
        (0..2).map(answer).collect()
    };
    (address, std::thread::spawn(answers))
}

/// Runs the installation of the action at the tag v9.8.7 of shop/pgmedic; returns what it adds to the PATH, too.
fn install(folder: &Path, server: &str) -> (Outcome, String) {
    let path = folder.join("path");
    fs::write(&path, "").unwrap();
    let variables = [
        ("GITHUB_SERVER_URL", server),
        ("ACTION_REPOSITORY", "shop/pgmedic"),
        ("ACTION_REF", "v9.8.7"),
        ("RUNNER_TEMP", folder.to_str().unwrap()),
        ("GITHUB_PATH", path.to_str().unwrap()),
    ];
    let outcome = script("install.sh", false, &variables);
    (outcome, fs::read_to_string(path).unwrap())
}

#[test]
fn the_installation_downloads_the_release_of_the_action_and_takes_it_only_with_its_checksum() {
    let folder = tempfile::tempdir().unwrap();
    let archive = release(folder.path());
    let (server, requested) = serve(folder.path().to_owned());
    let (outcome, path) = install(folder.path(), &server);
    assert!(outcome.exits(0).stdout.contains("pgmedic 0."));
    let release = "/shop/pgmedic/releases/download/v9.8.7/";
    assert_eq!(requested.join().unwrap(), [format!("{release}{archive}"), format!("{release}SHA256SUMS")]);
    let program = Path::new(path.trim_end()).join("pgmedic");
    assert!(Command::new(program).arg("--version").output().unwrap().status.success());

    let mut changed = fs::read(folder.path().join(&archive)).unwrap();
    changed.push(0);
    fs::write(folder.path().join(&archive), changed).unwrap();
    let (server, _requested) = serve(folder.path().to_owned());
    let (outcome, path) = install(folder.path(), &server);
    assert!(outcome.exits(1).stdout.contains("FAILED") && path.is_empty());
}

#[tokio::test]
async fn the_job_for_gitlab_fails_with_drift_and_leaves_the_report() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)").await;
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/gate/gitlab.yml")).unwrap();
    let lines = |key: &str| {
        let (_, block) = text.split_once(&format!("\n  {key}:\n")).unwrap();
        let lines = block.lines().map_while(|line| line.strip_prefix("    - ")).collect::<Vec<_>>();
        lines.join("\n")
    };
    let binaries = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command.args(["-ec", script]).current_dir(&folder).env("GATE_ARGUMENTS", "--dry-run");
        command.env("PATH", format!("{}:/usr/bin:/bin", binaries.display())).env("DATABASE_URL", database.url());
        Outcome::of(command.output().unwrap())
    };
    assert!(run(&lines("script")).exits(3).stdout.contains("public.orders_id_seq"));
    run(&lines("after_script")).exits(0);
    let report = fs::read_to_string(folder.path().join("pgmedic.json")).unwrap();
    assert!(report.contains("public.orders_id_seq"), "{report}");
}
