//! Every help page has examples, and each of them works as it stands.

use crate::support::{Database, pgmedic};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

/// The arguments of every help page: of pgmedic, and of each command below it.
fn pages() -> Vec<Vec<String>> {
    fn add(above: &[String], pages: &mut Vec<Vec<String>>) {
        let help = help(above);
        pages.push(above.to_vec());
        let (_, rest) = help.split_once("\nCommands:\n").unwrap_or_default();
        let lines = rest.lines().take_while(|line| !line.is_empty());
        // A description that is broken continues with a deeper indent.
        for line in lines.filter(|line| !line.starts_with("   ")) {
            let name = line.split_whitespace().next().expect("a command");
            if name != "help" {
                add(&[above, &[name.to_owned()]].concat(), pages);
            }
        }
    }
    let mut pages = Vec::new();
    add(&[], &mut pages);
    pages
}

fn help(page: &[String]) -> String {
    let arguments: Vec<&str> = page.iter().map(String::as_str).chain(["--help"]).collect();
    pgmedic(&[], &arguments).exits(0).stdout
}

/// The lines below `Examples:`.
fn examples(help: &str) -> Vec<String> {
    let (_, rest) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples in:\n{help}"));
    let lines = rest.lines().take_while(|line| !line.is_empty()).map(|line| line.trim().to_owned());
    lines.collect()
}

/// The example without its comment.
fn command(example: &str) -> &str {
    example.split(" #").next().unwrap_or_default().trim_end()
}

/// A shell that knows pgmedic, this database and its configuration, in a folder with that configuration.
fn shell(script: &str, folder: &Path, database: &Database) -> Command {
    let binaries = Path::new(env!("CARGO_BIN_EXE_pgmedic")).parent().unwrap();
    let path = format!("{}:{}", binaries.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-o", "pipefail", "-c", script]).env_clear().stdin(Stdio::null()).current_dir(folder);
    shell.envs([("PATH", path.as_str()), ("PGMEDIC_HTTP__LISTEN", "127.0.0.1:0"), ("DATABASE_URL", database.url())]);
    shell.env("PGMEDIC_CONFIG", folder.join("pgmedic.toml"));
    shell
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_of_every_help_page_works() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7)").await;
    // What `pgmedic history` prints.
    database.install_sql().await;
    let mut new = Database::new().await;
    new.sql("CREATE TABLE orders (id serial PRIMARY KEY)").await;
    let folder = tempfile::tempdir().unwrap();
    let settings =
        format!("[[databases]]\nname = \"app\"\nurl = \"{}\"\n[http]\nlisten = \"127.0.0.1:0\"\n", database.url());
    std::fs::write(folder.path().join("pgmedic.toml"), settings).unwrap();
    let mut seen = 0;
    for page in pages() {
        for example in examples(&help(&page)) {
            seen += 1;
            let example = example.replace("postgres://me@localhost/app", &format!("'{}'", database.url()));
            if page == ["demo"] {
                // It takes long: `documents::` and `demo::` run it.
                assert!(["pgmedic demo", "pgmedic demo --serve"].contains(&command(&example)), "{example}");
                continue;
            }
            if page == ["healthcheck"] {
                health(&example, folder.path(), &database);
                continue;
            }
            if command(&example) == "pgmedic --config pgmedic.toml" {
                stops_when_told(&example, folder.path(), &database);
                continue;
            }
            let mut shell = shell(&example, folder.path(), &database);
            let output = shell.env("OLD", database.url()).env("NEW", new.url()).output().unwrap();
            let code = output.status.code();
            // A dry run has found something: that is what it is for.
            let expected = if example.contains("--dry-run") { [Some(0), Some(3)] } else { [Some(0); 2] };
            let shown = String::from_utf8_lossy(&output.stderr);
            assert!(expected.contains(&code), "{example}: {code:?}\n{shown}");
        }
    }
    assert!(seen > 20, "{seen} examples");
}

/// Starts what runs until SIGTERM, and waits until it shows an address.
fn start(script: &str, shell: &mut Command) -> (Child, BufReader<ChildStdout>) {
    let mut child = shell.stdout(Stdio::piped()).spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("http://") {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "{script} ended");
    }
    (child, output)
}

/// The example runs until SIGTERM, and ends well.
fn stops_when_told(example: &str, folder: &Path, database: &Database) {
    // The program takes the place of the shell, which would get the signal instead.
    let script = format!("exec {}", example.replacen(" #", " 2>&1 #", 1));
    let script = if script.contains("2>&1") { script } else { script + " 2>&1" };
    let (mut child, mut output) = start(&script, &mut shell(&script, folder, database));
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGTERM).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{example}\n{rest}");
}

/// The health check finds the agent that the same folder's configuration starts.
fn health(example: &str, folder: &Path, database: &Database) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let script = "exec pgmedic --config pgmedic.toml 2>&1";
    let mut agent = shell(script, folder, database);
    let (mut agent, mut output) = start(script, agent.env("PGMEDIC_HTTP__LISTEN", port.to_string()));
    std::thread::spawn(move || std::io::copy(&mut output, &mut std::io::sink()));
    let outcome = shell(example, folder, database).env("PGMEDIC_HTTP__LISTEN", port.to_string()).output().unwrap();
    agent.kill().unwrap();
    agent.wait().unwrap();
    assert_eq!(outcome.status.code(), Some(0), "{example}: {}", String::from_utf8_lossy(&outcome.stderr));
}

#[test]
fn a_manual_page_can_be_shown() {
    let outcome = pgmedic(&[], &["man"]).exits(0);
    assert!(outcome.stdout.contains(".SH EXAMPLES"), "{}", outcome.stdout);
    let missing = pgmedic(&[], &["man", "--folder", "/no/such/folder"]).exits(1);
    assert!(missing.stderr.contains("/no/such/folder/pgmedic.1"), "{}", missing.stderr);
}
