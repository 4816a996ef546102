//! `examples/login-server`, whose handlers are compiled into this test.

use super::fire::under_fire;
use super::opens_and_ends_sessions;
use super::scene::Scene;
use argon2::password_hash::PasswordHasher;
use argon2::{Algorithm, Argon2, Params, Version};
use pgmedic_login::{InlineRepairLimits, SessionStore, SessionTable};
use sqlx::postgres::PgPoolOptions;
use std::time::Duration;
use tokio::net::TcpListener;

#[path = "../../../../examples/login-server/server.rs"]
mod server;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_login_fails_while_the_sequence_is_set_back() {
    // The cheapest parameters: the password hash is not tested here.
    let quick = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(8, 1, 1, None).unwrap());
    let mut scene = Scene::new(&quick.hash_password(b"secret").unwrap().to_string()).await;
    let pool = PgPoolOptions::new().max_connections(8).connect(&scene.database.url_as(&scene.app)).await.unwrap();
    // Long enough for a busy machine.
    let timeout = Duration::from_secs(60);
    let limits = InlineRepairLimits::default().with_lock_timeout(timeout).with_statement_timeout(timeout);
    let table = SessionTable::default().with_lock_timeout(timeout).with_limits(limits);
    let store = SessionStore::open(pool.clone(), table).await.unwrap();
    server::add_user(&pool, "ada", "pass phrase").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let running = tokio::spawn(async move { axum::serve(listener, server::router(pool, store)).await });
    let agent = scene.agent();

    let seen = under_fire(&scene, address).await;
    assert_eq!((seen.failed, seen.most_live, seen.back), (vec![], 1, vec![]));
    scene.assert_in_order(&agent).await;
    agent.stop();
    opens_and_ends_sessions(&mut scene, address).await;
    running.abort();
}
