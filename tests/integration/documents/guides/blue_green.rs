use super::Guide;
use crate::support::Database;

#[tokio::test]
async fn blue_green() {
    let (mut blue, mut green) = (Database::new().await, Database::new().await);
    let schema = "CREATE TABLE orders (id serial PRIMARY KEY); CREATE TABLE users (id serial PRIMARY KEY)";
    blue.sql(schema).await;
    green.sql(schema).await;
    for table in ["orders", "users"] {
        blue.sql(&format!("INSERT INTO {table} SELECT nextval('{table}_id_seq') FROM generate_series(1, 50)")).await;
        // Rows as logical replication writes them, without `nextval`.
        green.sql(&format!("INSERT INTO {table} SELECT generate_series(1, 50)")).await;
    }
    let read_only = format!("ALTER DATABASE {} SET default_transaction_read_only = on", green.name);
    green.sql(&read_only).await;
    let mut guide = Guide::of("blue-green", &[("BLUE", &blue), ("GREEN", &green)]);
    guide.walk(&["1", "2"]);

    // The switchover lets green write, and sets only one of its sequences.
    blue.sql(&format!("ALTER DATABASE {} RESET default_transaction_read_only", green.name)).await;
    green.sql("SELECT setval('orders_id_seq', 50)").await;
    guide.walk(&["4"]);
    guide.is_done();
    for table in ["orders", "users"] {
        let id = green.number(&format!("INSERT INTO {table} DEFAULT VALUES RETURNING id::bigint")).await;
        assert_eq!(id, 1051, "{table}");
    }
}
