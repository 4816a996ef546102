//! A web server whose logins succeed although the sequence is behind.
//!
//! ```sh
//! psql -f examples/login-server/users.sql -f docs/migrations/user_sessions.sql "$DATABASE_URL"
//! cargo run --example login-server -- add-user ada     # the password comes from stdin
//! cargo run --example login-server
//! curl -i -d '{"name":"ada","password":"…"}' -H 'content-type: application/json' http://127.0.0.1:8080/login
//! ```

mod server;

use pgmedic_login::{SessionStore, SessionTable};
use sqlx::postgres::PgPool;
use std::error::Error;
use std::io;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "set DATABASE_URL to the database of the users")?;
    let pool = PgPool::connect(&url).await?;
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        [] => {}
        ["add-user", name] => {
            let password = io::read_to_string(io::stdin())?;
            server::add_user(&pool, name, password.trim_end_matches('\n')).await?;
            return Ok(());
        }
        _ => return Err("usage: login-server [add-user NAME]".into()),
    }
    let store = SessionStore::open(pool.clone(), SessionTable::default()).await?;
    let address = std::env::var("LISTEN").unwrap_or_else(|_| "127.0.0.1:8080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, server::router(pool, store)).await?;
    Ok(())
}
