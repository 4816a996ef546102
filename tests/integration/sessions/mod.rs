//! Sweeps of session stores.
//!
//! | file | what it tests |
//! |---|---|
//! | `sweep`, `revoke`, `newest` | which sessions are ended, and how |
//! | `kinds` | which rows are sessions, and for how long each lives |
//! | `effects`, `taken`, `triggers`, `ids`, `drawn_ids`, `unrepaired_ids` | what a deletion takes along, and which ids it gives back |
//! | `blocked`, `chains`, `orphans` | sessions that cannot be ended, or not in each order, and rows that would be left without one |
//! | `encodings`, `presets`, `clients` | times as every encoding, framework and client writes them |
//! | `guards`, `first_sweep`, `pass_state` | what is held, in one pass and from pass to pass |
//! | `refused`, `untrusted_code`, `rights`, `grants` | wrong configurations, code of other roles, privileges |
//! | `fixes` | the command of each reason, run as it is printed |

mod backlog;
mod blocked;
mod chains;
mod clients;
mod drawn_ids;
mod effects;
mod encodings;
mod first_sweep;
mod fixes;
mod grants;
mod guards;
mod ids;
mod kinds;
mod newest;
mod orphans;
mod pass_state;
mod presets;
mod refused;
mod revoke;
mod rights;
mod sweep;
mod taken;
mod triggers;
mod unrepaired_ids;
mod untrusted_code;

use crate::support::{Database, Outcome, sentence, shell};
use serde_json::Value;

impl Outcome {
    /// What the report says of one session store.
    #[track_caller]
    pub fn store(&self, name: &str) -> Value {
        let database = self.database();
        let stores = database["sessions"].as_array().cloned().unwrap_or_default();
        let found = stores.into_iter().find(|store| store["name"] == name);
        found.unwrap_or_else(|| panic!("no store {name} in\n{}\n{}", self.stdout, self.stderr))
    }

    /// The store has at least these fields.
    #[track_caller]
    pub fn swept(&self, name: &str, expected: Value) -> &Self {
        let store = self.store(name);
        for (field, value) in expected.as_object().expect("fields of a store") {
            assert_eq!(&store[field], value, "{field} of {store:#}");
        }
        self
    }

    /// The reasons in this field of the store, as they are printed, say all of this.
    #[track_caller]
    pub fn store_says(&self, name: &str, field: &str, words: &[&str]) -> &Self {
        let sentences: Vec<String> = self.store_reasons(name, field).iter().map(sentence).collect();
        let text = sentences.join("\n");
        for word in words {
            assert!(text.contains(word), "{word:?} is missing in {field}: {text}");
        }
        self
    }

    /// The kinds of the reasons in this field of the store.
    #[track_caller]
    pub fn store_kinds(&self, name: &str, field: &str) -> Vec<String> {
        let reasons = self.store_reasons(name, field);
        reasons.iter().map(|reason| reason["kind"].as_str().expect("a kind").to_owned()).collect()
    }

    /// The fixes of the reasons in this field of the store.
    #[track_caller]
    pub fn store_fixes(&self, name: &str, field: &str) -> Vec<String> {
        let reasons = self.store_reasons(name, field);
        reasons.iter().filter_map(|reason| reason["fix"].as_str().map(str::to_owned)).collect()
    }

    /// The one fix in this field of the store.
    #[track_caller]
    pub fn store_fix(&self, name: &str, field: &str) -> String {
        let fixes = self.store_fixes(name, field);
        assert_eq!(fixes.len(), 1, "{fixes:?} in {field} of {:#}", self.store(name));
        fixes[0].clone()
    }

    /// `held` and `error` are a reason or null, `warnings` is a list of them.
    #[track_caller]
    fn store_reasons(&self, name: &str, field: &str) -> Vec<Value> {
        match &self.store(name)[field] {
            Value::Null => Vec::new(),
            Value::Array(reasons) => reasons.clone(),
            reason => vec![reason.clone()],
        }
    }
}

/// Runs a fix as a person does: in a shell that finds `pgmedic`, with the configuration of `role`.
fn run_fix(database: &Database, role: &str, settings: &str, fix: &str) -> Outcome {
    let config = database.config_as(role, settings);
    Outcome::of(shell(fix).env("PGMEDIC_CONFIG", config.path()).output().expect("a shell"))
}

/// A store on `public.sessions` with these further lines.
fn logins(lines: &str) -> String {
    format!("[[sessions]]\nname = \"logins\"\ntable = \"public.sessions\"\n{lines}\n")
}

/// The same, by `expires_at timestamptz`.
fn by_expiry(lines: &str) -> String {
    logins(&format!("expires_at = \"expires_at\"\nencoding = \"timestamptz\"\n{lines}"))
}

/// `sessions (… expires_at timestamptz …)` with `expired` rows that ended two days ago, and `live` ones.
async fn filled(expired: u32, live: u32) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id integer,
                                    expires_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
                                    revoked_at timestamptz);
             CREATE INDEX ON sessions (expires_at);
             INSERT INTO sessions (user_id, expires_at)
             SELECT n, now() - interval '2 days' - n * interval '1 second' FROM generate_series(1, {expired}) AS n;
             INSERT INTO sessions (user_id, expires_at)
             SELECT n, now() + interval '1 hour' + n * interval '1 second' FROM generate_series(1, {live}) AS n"
        ))
        .await;
    database
}

/// How many sessions there are.
async fn left(database: &mut Database) -> i64 {
    database.number("SELECT count(*) FROM sessions").await
}
