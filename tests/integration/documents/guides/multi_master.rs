use super::Guide;
use crate::support::Database;

/// Inserts into one node, and into the other as replication does. Returns the id.
async fn draw(node: &mut Database, other: &mut Database) -> i64 {
    let id = node.number("INSERT INTO orders DEFAULT VALUES RETURNING id::bigint").await;
    other.sql(&format!("INSERT INTO orders VALUES ({id})")).await;
    id
}

#[tokio::test]
async fn multi_master_with_offsets() {
    let (mut one, mut two) = (Database::new().await, Database::new().await);
    for node in [&mut one, &mut two] {
        node.sql("CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 695)")
            .await;
    }
    let mut guide = Guide::of("multi-master", &[("NODE1", &one), ("NODE2", &two)]);
    guide.walk(&["1"]);
    let mut drawn = Vec::new();
    for _ in 0..3 {
        drawn.push(draw(&mut one, &mut two).await);
    }
    drawn.push(draw(&mut two, &mut one).await);
    assert_eq!(drawn, [701, 711, 721, 702]);
    guide.walk(&["2", "3"]);

    // A node that uses the other one's residue class: in sync as seen alone.
    two.sql("ALTER SEQUENCE orders_id_seq RESTART WITH 731").await;
    two.once(&["--dry-run"]).exits(0);
    assert_eq!(guide.prints("3"), "public.orders_id_seq: SHARED\n");
    two.sql("ALTER SEQUENCE orders_id_seq RESTART WITH 712").await;

    // Restored from a backup that lacks two of its rows.
    one.sql("SELECT setval('orders_id_seq', 701)").await;
    guide.walk(&["4"]);
    assert_eq!(draw(&mut one, &mut two).await, 10_731, "1000 values of the residue class beyond 721");

    for _ in 0..2000 {
        two.nextval("orders_id_seq").await;
    }
    draw(&mut two, &mut one).await;
    guide.walk(&["5"]);
    guide.is_done();
    assert_eq!(one.number("INSERT INTO orders DEFAULT VALUES RETURNING id::bigint").await, 20_713);
}
