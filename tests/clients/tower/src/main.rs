//! Runs the client library tower-sessions-sqlx-store:
//!
//!     tower-client STORE URL make            creates sessions; prints {"live": [keys], "expired": [keys]}
//!     tower-client STORE URL find KEY …      prints the keys that the client finds

use serde_json::json;
use std::error::Error;
use time::{Duration, OffsetDateTime};
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::SessionStore;
use tower_sessions_sqlx_store::sqlx::PgPool;
use tower_sessions_sqlx_store::PostgresStore;

/// Expiry times of the sessions, in minutes from now.
const ENDS: [i64; 5] = [10, 30, 3 * 60, 14 * 60, 7 * 24 * 60];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    let [url, command, keys @ ..] = arguments.as_slice() else { return Err("STORE URL make|find KEY …".into()) };
    let store = PostgresStore::new(PgPool::connect(url).await?);
    store.migrate().await?;
    if command == "make" {
        let [mut live, mut expired] = [Vec::new(), Vec::new()];
        for minutes in ENDS {
            live.push(make(&store, minutes).await?);
            expired.push(make(&store, -minutes).await?);
        }
        println!("{}", json!({ "live": live, "expired": expired }));
    } else {
        let mut found = Vec::new();
        for key in keys {
            if store.load(&key.parse::<Id>()?).await?.is_some() {
                found.push(key);
            }
        }
        println!("{}", json!(found));
    }
    Ok(())
}

async fn make(store: &PostgresStore, minutes: i64) -> Result<String, Box<dyn Error>> {
    let expiry_date = OffsetDateTime::now_utc() + Duration::minutes(minutes);
    let mut record = Record { id: Id::default(), data: Default::default(), expiry_date };
    store.create(&mut record).await?;
    Ok(record.id.to_string())
}
