//! A Prometheus and an Alertmanager for one test, on loopback, with the shipped rules.

use super::agent::{fetch, wait_for_within};
use serde_json::Value;
use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;
use url::form_urlencoded::byte_serialize;

/// The divisor of every duration in rules and queries, so that alerts that take minutes fire in seconds. A scrape each
/// second then stands for one each half minute, and the 150 s over which gauges are read contain five of them. Numbers
/// that an expression compares with (`> 300`, `3 * 86400`) are not changed.
const HASTE: u64 = 30;

/// The longest wait for an alert: several times what the slowest one takes.
pub const LONG_TIMEOUT: Duration = Duration::from_secs(300);

/// The path of a tool, from PATH or from the folder that `scripts/setup deploy` fills.
#[track_caller]
pub fn tool(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let test = env::current_exe().expect("our own path");
    let targets = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from).into_iter();
    let ours = targets.chain(test.ancestors().map(Path::to_owned)).map(|folder| folder.join("tools/bin"));
    let mut found = env::split_paths(&path).chain(ours).map(|folder| folder.join(name));
    found.find(|program| program.is_file()).unwrap_or_else(|| panic!("{name} is missing: run scripts/setup deploy"))
}

/// Divides every duration in PromQL by [`HASTE`]: ranges in brackets, steps of subqueries, offsets. Values that Grafana
/// puts in for its variables are not divided.
pub fn hasten(expression: &str) -> String {
    let mut result = String::new();
    let mut rest = expression;
    while let Some(start) = rest.find(['[', 'o']) {
        let (before, found) = rest.split_at(start);
        result += before;
        let opening = ["[", "offset "].into_iter().find(|opening| found.starts_with(opening));
        let Some(opening) = opening else {
            result.push_str(&found[..1]);
            rest = &found[1..];
            continue;
        };
        result += opening;
        let found = &found[opening.len()..];
        let end = found.find(|c: char| !c.is_ascii_alphanumeric() && c != ':').unwrap_or(found.len());
        let (durations, after) = found.split_at(end);
        let hastened: Vec<String> = durations.split(':').map(hastened).collect();
        result += &hastened.join(":");
        rest = after;
    }
    result + rest
}

/// Divides a duration in Prometheus's notation by [`HASTE`]. Returns any other text unchanged.
fn hastened(duration: &str) -> String {
    if !duration.starts_with(|c: char| c.is_ascii_digit()) {
        return duration.to_owned();
    }
    let mut milliseconds = 0;
    let mut number = 0;
    for (at, character) in duration.char_indices() {
        if let Some(digit) = character.to_digit(10) {
            number = number * 10 + u64::from(digit);
            continue;
        }
        let unit = match character {
            's' => 1_000,
            'm' => 60_000,
            'h' => 3_600_000,
            'd' => 86_400_000,
            _ => panic!("{character} at {at} in the duration {duration}"),
        };
        milliseconds += number * unit;
        number = 0;
    }
    format!("{}ms", milliseconds / HASTE)
}

/// Replacements in alerts that look back for hours or days, made before every duration is divided: (alert, (old, new)).
/// The form of the expression stays. A slot of time becomes 5 s, which holds several passes and several acts of
/// sabotage.
const SHORTENED: [(&str, &[(&str, &str)]); 5] = [
    // A number of seconds in an expression, which `hasten` does not divide.
    ("PgmedicPassStale", &[("+ 120", "+ 4")]),
    ("PgmedicRepairLoop", &[("[10m]", "[150s]"), ("[1h:10m]", "[15m:150s]")]),
    ("PgmedicDriftRecurring", &[("[6h]", "[150s]"), ("[7d:6h]", "[1h10m:150s]")]),
    (
        "PgmedicSequenceExhaustionSoon",
        &[
            ("[10m]", "[2m30s]"),
            ("[1d:10m]", "[10m:30s]"),
            ("[1h:5m]", "[5m:30s]"),
            ("[1h] offset 12h", "[5m] offset 5m"),
            ("for: 90m", "for: 1m"),
        ],
    ),
    ("PgmedicSessionsBacklogGrowing", &[("[30m]", "[2m30s]"), ("offset 6h", "offset 15m"), ("for: 30m", "for: 1m")]),
];

/// Applies the replacements to the rules. Each must match in its alert.
#[track_caller]
fn shortened(rules: &str) -> String {
    let mut alerts: Vec<String> = rules.split("- alert: ").map(str::to_owned).collect();
    for (name, changes) in SHORTENED {
        let alert = alerts.iter_mut().find(|alert| alert.lines().next() == Some(name));
        let alert = alert.unwrap_or_else(|| panic!("there is no {name}"));
        for (from, to) in changes {
            assert!(alert.contains(from), "there is no {from} in {name}");
            *alert = alert.replace(from, to);
        }
    }
    alerts.join("- alert: ")
}

/// The shipped rules, shortened, and with every duration divided, `for` and `interval` too.
#[track_caller]
fn hastened_rules() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/prometheus/rules.yml");
    let rules = shortened(&fs::read_to_string(path).expect("the rules"));
    let lines = rules.lines().filter(|line| !line.trim_start().starts_with('#')).map(|line| {
        let duration = ["for: ", "interval: "].iter().find_map(|key| {
            let value = line.trim_start().strip_prefix(key)?;
            Some(line.replace(value, &hastened(value)))
        });
        duration.unwrap_or_else(|| hasten(line)) + "\n"
    });
    lines.collect()
}

/// A process that logs the address it listens on. It is killed when it is dropped.
struct Listener {
    child: Child,
    address: SocketAddr,
}

impl Listener {
    #[track_caller]
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(tool(program));
        command.args(arguments).args(["--web.listen-address=127.0.0.1:0"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect(program);
        let mut lines = BufReader::new(child.stderr.take().expect("its log")).lines().map_while(Result::ok);
        let mut log = String::new();
        let address = lines.by_ref().find_map(|line| {
            log = log.clone() + &line + "\n";
            let (_, address) = line.split_once("msg=\"Listening on\" address=")?;
            address.parse().ok()
        });
        // Read to the end, because the process blocks when the pipe is full.
        std::thread::spawn(move || lines.for_each(drop));
        let address = address.unwrap_or_else(|| panic!("{program} does not listen:\n{log}"));
        Self { child, address }
    }

    /// Requests a path and parses the JSON body.
    #[track_caller]
    fn ask(&self, path: &str) -> Value {
        let (status, body) = fetch(self.address, path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error} in {body}"))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Prometheus and an Alertmanager that are connected. Their data is deleted when they are dropped.
pub struct Prometheus {
    prometheus: Listener,
    alertmanager: Listener,
    home: TempDir,
}

impl Prometheus {
    /// Starts both. Prometheus scrapes the agents of these jobs every second; Alertmanager posts alerts to `webhook`.
    #[track_caller]
    pub fn start(jobs: &[(&str, Vec<SocketAddr>)], webhook: SocketAddr) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let file = |name: &str, text: String| {
            let path = home.path().join(name);
            fs::write(&path, text).expect(name);
            path.display().to_string()
        };
        let receiver = format!(
            "route: {{receiver: test, group_by: ['...'], group_wait: 100ms, group_interval: 1s}}\n\
             receivers: [{{name: test, webhook_configs: [{{url: 'http://{webhook}/'}}]}}]\n"
        );
        let alertmanager = Listener::start(
            "prometheus-alertmanager",
            &[
                &format!("--config.file={}", file("alertmanager.yml", receiver)),
                &format!("--storage.path={}", home.path().join("alerts").display()),
                "--cluster.listen-address=",
            ],
        );
        let rules = file("rules.yml", hastened_rules());
        let mut config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{rules}']\n\
             alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{}']}}]}}]}}\n\
             scrape_configs:\n",
            alertmanager.address
        );
        for (job, agents) in jobs {
            let targets = file(&format!("{job}.json"), targets(agents));
            let files = format!("{{files: ['{targets}'], refresh_interval: 1s}}");
            config += &format!("  - {{job_name: {job}, file_sd_configs: [{files}]}}\n");
        }
        let prometheus = Listener::start(
            "prometheus",
            &[
                &format!("--config.file={}", file("prometheus.yml", config)),
                &format!("--storage.tsdb.path={}", home.path().join("data").display()),
            ],
        );
        wait_for_within(LONG_TIMEOUT, "a Prometheus that is ready", || {
            (fetch(prometheus.address, "/-/ready").0 == 200).then_some(())
        });
        Self { prometheus, alertmanager, home }
    }

    /// Replaces the agents that a job scrapes.
    pub fn scrape(&self, job: &str, agents: &[SocketAddr]) {
        fs::write(self.home.path().join(format!("{job}.json")), targets(agents)).expect("its targets");
    }

    /// The result of an instant query.
    #[track_caller]
    pub fn query(&self, expression: &str) -> Vec<Value> {
        result(&self.prometheus.ask(&format!("/api/v1/query?query={}", encoded(expression))))
    }

    /// Prometheus's clock, in seconds since 1970.
    #[track_caller]
    pub fn now(&self) -> f64 {
        self.query("time()")[1].as_str().and_then(|now| now.parse().ok()).expect("a time")
    }

    /// The result of a range query over the last `seconds`, with a step of one second.
    #[track_caller]
    pub fn query_range(&self, expression: &str, seconds: u64) -> Vec<Value> {
        let now = self.now();
        let from = now - seconds as f64;
        let path = format!("/api/v1/query_range?query={}&start={from}&end={now}&step=1", encoded(expression));
        result(&self.prometheus.ask(&path))
    }

    /// The result of `label_values(selector, label)` in a dashboard's variable.
    #[track_caller]
    pub fn label_values(&self, selector: &str, label: &str) -> Vec<String> {
        let answer = self.prometheus.ask(&format!("/api/v1/label/{label}/values?match[]={}", encoded(selector)));
        result_of(&answer["data"]).iter().filter_map(Value::as_str).map(str::to_owned).collect()
    }

    /// The names of all alerts in the rules.
    #[track_caller]
    pub fn alerts(&self) -> Vec<String> {
        let answer = self.prometheus.ask("/api/v1/rules?type=alert");
        let groups = result_of(&answer["data"]["groups"]);
        let rules = groups.iter().flat_map(|group| result_of(&group["rules"]));
        let rules: Vec<Value> = rules.collect();
        for rule in &rules {
            assert_eq!(rule["health"], "ok", "{rule:#}");
        }
        rules.iter().map(|rule| rule["name"].as_str().expect("a name").to_owned()).collect()
    }

    /// The alerts that Alertmanager holds, with labels and annotations.
    #[track_caller]
    pub fn delivered(&self) -> Vec<Value> {
        result_of(&self.alertmanager.ask("/api/v2/alerts"))
    }
}

fn targets(agents: &[SocketAddr]) -> String {
    let targets: Vec<String> = agents.iter().map(SocketAddr::to_string).collect();
    serde_json::json!([{ "targets": targets }]).to_string()
}

fn encoded(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect()
}

#[track_caller]
fn result(answer: &Value) -> Vec<Value> {
    result_of(&answer["data"]["result"])
}

#[track_caller]
fn result_of(list: &Value) -> Vec<Value> {
    list.as_array().unwrap_or_else(|| panic!("no list: {list:#}")).clone()
}

#[test]
fn every_duration_is_divided_and_nothing_else() {
    let hastened = hasten("sum(rate(a_total{b=\"x[y\"}[2m30s]) offset 1h) or on () d[1d:10m] > 3 * 86400 [$__range]");
    assert_eq!(
        hastened,
        "sum(rate(a_total{b=\"x[y\"}[5000ms]) offset 120000ms) or on () d[2880000ms:20000ms] > 3 * 86400 [$__range]"
    );
}
