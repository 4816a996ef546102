//! What alerts, their tests, their runbooks, dashboards and README say of metrics is true of a real agent's.
//! scripts/check-rules.py and scripts/check-dashboards.py check what needs no agent.

use crate::support::{Agent, Database};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Labels that Prometheus adds. `server` is on the databases of `[[servers]]` alone.
const ADDED: [&str; 3] = ["job", "instance", "server"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Everything that names metrics, with its text.
fn documents() -> Vec<(PathBuf, String)> {
    let folders = ["dashboards/grafana", "dashboards/prometheus", "dashboards/prometheus/tests", "docs/runbooks"];
    let files = folders.iter().flat_map(|folder| fs::read_dir(root().join(folder)).unwrap());
    let files = files.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let files = files.chain(["docs/monitoring.md", "docs/agent.md", "README.md"].map(|file| root().join(file)));
    // Quotes are escaped in JSON.
    files.map(|path| (path.clone(), fs::read_to_string(&path).unwrap().replace("\\\"", "\""))).collect()
}

/// Metrics named in a text, each with what follows. `pgmedic_pass_(runs|failures)_total` names two.
fn named(text: &str) -> Vec<(String, &str)> {
    let mut found = Vec::new();
    for start in ["pgmedic_", "process_"].iter().flat_map(|prefix| text.match_indices(prefix)).map(|(start, _)| start) {
        let before = text[..start].chars().next_back();
        if before.is_some_and(|before| before.is_alphanumeric() || before == '_') {
            continue;
        }
        let (head, rest) = word(&text[start..]);
        let Some((choices, rest)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) else {
            found.push((head.to_owned(), rest));
            continue;
        };
        let (tail, rest) = word(rest);
        found.extend(choices.split('|').map(|choice| (format!("{head}{choice}{tail}"), rest)));
    }
    found
}

fn word(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(text.len()))
}

/// `/metrics` of an agent that sees drift and may not repair it, so that all series are there.
async fn exported() -> String {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders VALUES (7);
             CREATE TABLE events (id serial PRIMARY KEY);
             CREATE TABLE user_sessions (expires_at timestamptz); INSERT INTO user_sessions VALUES (now())",
        )
        .await;
    let store = "[[sessions]]\nname = \"logins\"\ntable = \"public.user_sessions\"\nexpires_at = \"expires_at\"\n\
                 encoding = \"timestamptz\"\n";
    // Each pass reads everything, and so tells the pace once it has watched for long enough.
    let passes = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1\n";
    let config = database.config(&format!("[http]\nlisten = \"127.0.0.1:0\"\n{passes}{store}"));
    let agent = Agent::run(config, &["--dry-run"]);
    let lag = format!("pgmedic_sequence_lag_values_max{{database=\"{}\"}}", database.name);
    agent.wait_until(&lag, |lag| lag == 7.0);
    let stale = format!("pgmedic_sessions_stale{{database=\"{}\",store=\"logins\"}}", database.name);
    agent.wait_until(&stale, |stale| stale == 1.0);
    database.sql("SELECT nextval('events_id_seq') FROM generate_series(1, 10)").await;
    let days_left = format!("pgmedic_sequence_days_left_min{{database=\"{}\"}}", database.name);
    agent.wait_until(&days_left, |days| days > 0.0);
    let (_, metrics) = agent.get("/metrics");
    agent.stop();
    metrics
}

/// No agent has it: `pgmedic --once --textfile` writes it, as `reporting::nagios` shows.
const OF_A_RUN: &str = "pgmedic_once_exit_code";

#[tokio::test]
async fn every_metric_in_rules_runbooks_dashboards_and_readme_is_there_with_its_labels() {
    let metrics = exported().await;
    let is_exported = |name: &str| {
        // A family, a series of a histogram, or all that begin so.
        let ways = [format!("# TYPE {name} "), format!("\n{name}{{")];
        ways.iter().any(|way| metrics.contains(way))
            || name.ends_with('_') && metrics.contains(&format!("# TYPE {name}"))
    };
    let mut seen: BTreeMap<String, PathBuf> = BTreeMap::new();
    for (path, text) in documents() {
        for (name, rest) in named(&text) {
            let matchers =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
            if is_exported(&name) {
                check_labels(&metrics, &name, matchers, &path);
            }
            seen.insert(name, path.clone());
        }
    }
    assert!(seen.len() > 15, "{seen:?}");
    for (name, path) in seen.iter().filter(|(name, _)| name.as_str() != OF_A_RUN) {
        assert!(is_exported(name), "{name}, named in {}, is in no agent's metrics", path.display());
    }
}

/// A matcher that matches nothing makes an alert that never fires. Words only: database names are arbitrary.
fn check_labels(metrics: &str, name: &str, matchers: &str, path: &Path) {
    for matcher in matchers.split(", ").flat_map(|matcher| matcher.split(',')) {
        let Some((label, value)) = matcher.split_once('=') else { continue };
        let (label, exactly) = (label.trim_end_matches('!').trim(), !label.ends_with('!'));
        if ADDED.contains(&label) {
            continue;
        }
        let words = ["verdict", "outcome", "method", "cause", "pass", "reason"];
        let wanted = match exactly && words.contains(&label) && value.starts_with('"') {
            true => format!("{label}={}", value.trim()),
            false => format!("{label}=\""),
        };
        let there = metrics.lines().any(|line| line.starts_with(&format!("{name}{{")) && line.contains(&wanted));
        assert!(there, "{}: no series of {name} has {wanted}", path.display());
    }
}
