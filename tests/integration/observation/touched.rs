//! A server process keeps memory for every relation that it has read, so the number of them is limited.

use crate::support::Database;
use pgmedic::config::{Environment, Settings};
use pgmedic::db::{BoundedConnection, TransactionMode};
use pgmedic::pass_options::PassOptions;
use pgmedic_core::Timeouts;

const MOST: u64 = 20_000;

/// The server process of a connection.
async fn process(connection: &mut BoundedConnection, timeouts: Timeouts) -> i32 {
    let ask = ["SELECT pg_backend_pid()"];
    let result = connection.run_transaction("process", TransactionMode::Read, timeouts, ask).await;
    sqlx::Row::get(&result.into_rows().unwrap()[0], 0)
}

#[tokio::test]
async fn a_server_process_is_replaced_before_it_has_read_too_many_relations_and_not_when_it_reads_them_again() {
    let database = Database::new().await;
    let config = database.config("");
    let settings = Settings::load(Some(config.path()), &Environment::default()).unwrap();
    let (address, timeouts) = (settings.databases[0].connect_options().unwrap(), settings.sequences.bounds());
    let cancel = PassOptions::default().cancel;
    let mut connection = BoundedConnection::connect(&address, timeouts, &cancel).await.unwrap();
    let first = process(&mut connection, timeouts).await;
    for _ in 0..3 {
        connection.reserve_relations(&[(1, 12_000), (2, 8_000)], MOST, timeouts).await;
        assert_eq!(process(&mut connection, timeouts).await, first);
    }
    connection.reserve_relations(&[(1, 12_000), (3, 1)], MOST, timeouts).await;
    let second = process(&mut connection, timeouts).await;
    assert_ne!(second, first);
    connection.reserve_relations(&[(2, 7_999)], MOST, timeouts).await;
    assert_eq!(process(&mut connection, timeouts).await, second, "the new process has read the last ones alone");
}
