//! The queries of the shipped dashboards, as Grafana sends them.

use super::prometheus::{Prometheus, hasten};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// The scrape interval of the data source in seconds, and the step of a graph over a few minutes.
const SECOND: u64 = 1;

/// One query of a panel or an annotation.
#[derive(Debug)]
pub struct Query {
    /// The title of the panel or the annotation.
    pub title: String,
    /// The reference id of the query in its panel. An annotation has one query.
    pub reference: String,
    pub expression: String,
    /// Whether it is an instant query. Otherwise it is a range query.
    pub instant: bool,
    /// The labels that legends and texts use.
    pub named: Vec<String>,
}

/// A dashboard with the values of its variables: all values, as when it is opened.
pub struct Dashboard {
    /// The name of its file.
    pub name: String,
    json: Value,
    variables: BTreeMap<String, String>,
}

impl Dashboard {
    /// All dashboards of dashboards/grafana, with their variables queried.
    #[track_caller]
    pub fn all(prometheus: &Prometheus) -> Vec<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("dashboards/grafana");
        let files = fs::read_dir(folder).expect("dashboards").map(|entry| entry.expect("a file").path());
        files
            .map(|path| {
                let json = serde_json::from_str(&fs::read_to_string(&path).expect("a dashboard")).expect("JSON");
                let name = path.file_name().expect("a file").display().to_string();
                let mut dashboard = Self { name, json, variables: BTreeMap::default() };
                dashboard.ask(prometheus);
                dashboard
            })
            .collect()
    }

    /// Queries the variables in order, because each may use the ones before.
    #[track_caller]
    fn ask(&mut self, prometheus: &Prometheus) {
        for variable in list(&self.json["templating"]["list"]) {
            if variable["type"] != "query" {
                continue;
            }
            let query = self.filled(text(&variable["query"]["query"]), 0);
            let inside = query.strip_prefix("label_values(").and_then(|query| query.strip_suffix(')'));
            let (selector, label) = inside.and_then(|inside| inside.rsplit_once(", ")).expect("label_values");
            let values = prometheus.label_values(selector, label);
            assert!(!values.is_empty(), "{}: {query} has no values", self.name);
            let value = variable["allValue"].as_str().map_or_else(|| all_of(&values), str::to_owned);
            self.variables.insert(text(&variable["name"]).to_owned(), value);
        }
    }

    /// A query with its variables replaced, for a range of this many seconds.
    fn filled(&self, query: &str, seconds: u64) -> String {
        let rate = (4 * SECOND).max(SECOND + SECOND);
        let mut filled = query.replace("$__rate_interval", &format!("{rate}s"));
        filled = filled.replace("$__range", &format!("{seconds}s"));
        for (name, value) in &self.variables {
            filled = filled.replace(&format!("${name}"), value);
        }
        // `$1` of label_replace is not a variable, and Grafana leaves it.
        assert!(!filled.replace("\"$1\"", "").contains('$'), "{}: what is it in {filled}", self.name);
        filled
    }

    /// Every query of the panels and annotations, for a range of this many seconds.
    pub fn queries(&self, seconds: u64) -> Vec<Query> {
        let panels = list(&self.json["panels"]).iter().flat_map(|panel| {
            let targets = panel["targets"].as_array().map_or(&[][..], Vec::as_slice);
            targets.iter().map(|target| self.query(&panel["title"], target, seconds))
        });
        let annotations = list(&self.json["annotations"]["list"]);
        panels.chain(annotations.iter().map(|target| self.query(&target["name"], target, seconds))).collect()
    }

    fn query(&self, title: &Value, target: &Value, seconds: u64) -> Query {
        let texts = ["legendFormat", "titleFormat", "textFormat"].iter().filter_map(|key| target[*key].as_str());
        let named = texts.flat_map(|text| text.split("{{").skip(1)).filter_map(|text| text.split_once("}}"));
        Query {
            title: text(title).to_owned(),
            reference: target["refId"].as_str().unwrap_or("annotation").to_owned(),
            // Shortened before Grafana's variables are replaced, because their values fit the test's time already.
            expression: self.filled(&hasten(text(&target["expr"])), seconds),
            instant: target["instant"] == true,
            named: named.map(|(label, _)| label.to_owned()).collect(),
        }
    }
}

/// Several values as a regular expression, escaped for a PromQL string.
fn all_of(values: &[String]) -> String {
    let escaped = values.iter().map(|value| value.replace('.', "\\\\."));
    let escaped: Vec<String> = escaped.collect();
    if let [one] = escaped.as_slice() { one.clone() } else { format!("({})", escaped.join("|")) }
}

#[track_caller]
fn list(value: &Value) -> &Vec<Value> {
    value.as_array().unwrap_or_else(|| panic!("no list: {value:#}"))
}

#[track_caller]
fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value:#}"))
}
