//! Sweeps of session stores.

mod clients;
mod encodings;
mod grants;
mod guards;
mod memory;
mod newest;
mod presets;
mod refused;
mod revoke;
mod strangers;
mod sweep;

use crate::support::{Database, Outcome};
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

    /// A text field of the store holds all of these.
    #[track_caller]
    pub fn store_says(&self, name: &str, field: &str, words: &[&str]) -> &Self {
        let text = self.store(name)[field].to_string();
        for word in words {
            assert!(text.contains(&word.replace('"', "\\\"")), "{word:?} is missing in {field}: {text}");
        }
        self
    }
}

/// A store on `public.sessions` with these further lines.
fn logins(lines: &str) -> String {
    format!("[[sessions]]\nname = \"logins\"\ntable = \"public.sessions\"\n{lines}\n")
}

/// The same, by `expires_at timestamptz`.
fn by_expiry(lines: &str) -> String {
    logins(&format!("expires_at = \"expires_at\"\nencoding = \"timestamptz\"\n{lines}"))
}

/// `expires_at timestamptz`: `expired` rows that ended up to so many hours ago, and `live` ones.
async fn filled(expired: u32, live: u32) -> Database {
    let mut database = Database::new().await;
    database
        .sql(&format!(
            "CREATE TABLE sessions (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id integer,
                                    expires_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(),
                                    revoked_at timestamptz);
             CREATE INDEX ON sessions (expires_at);
             INSERT INTO sessions (user_id, expires_at)
             SELECT n, now() - interval '1 hour' - n * interval '1 second' FROM generate_series(1, {expired}) AS n;
             INSERT INTO sessions (user_id, expires_at)
             SELECT n, now() + interval '1 hour' + n * interval '1 second' FROM generate_series(1, {live}) AS n"
        ))
        .await;
    database
}

async fn left(database: &mut Database) -> i64 {
    database.number("SELECT count(*) FROM sessions").await
}
