use super::{Guide, complete_server};
use crate::support::Database;
use std::fs;
use std::process::Command;

const SCHEMA: &str = "
    CREATE TABLE orders (id serial PRIMARY KEY);
    CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text)";

#[tokio::test]
async fn after_a_restore() {
    let server = complete_server("bin/pg_restore", &[]);
    let mut source = Database::on(&server).await;
    source.sql(SCHEMA).await;
    source.sql("INSERT INTO orders SELECT nextval('orders_id_seq') FROM generate_series(1, 695)").await;
    let mut target = Database::on(&server).await;
    target.sql(SCHEMA).await;

    let mut guide = Guide::named("after-a-restore", server.bin_dir(), &[("DATABASE_URL", target.url())]);
    let dump = guide.folder().join("app.dump");
    let mut pg_dump = Command::new(server.bin_dir().join("pg_dump"));
    let status = pg_dump.args(["--format=custom", "--file"]).arg(dump).arg(source.url()).status();
    assert!(status.unwrap().success());
    let users: String = (1..=120).map(|id| format!("{id},a user\n")).collect();
    fs::write(guide.folder().join("users.csv"), users).unwrap();

    guide.walk(&["1", "2", "3", "4", "6"]);
    guide.is_done();
    assert_eq!(target.number("INSERT INTO orders DEFAULT VALUES RETURNING id::bigint").await, 50_696);
    assert_eq!(target.number("INSERT INTO users (name) VALUES ('a') RETURNING id").await, 50_121);
}

/// Checks the guide's table of what causes drift.
#[tokio::test]
async fn what_follows_a_restore_and_what_does_not() {
    let server = complete_server("bin/pg_restore", &[]);
    let tools =
        |database: &Database| Guide::named("after-a-restore", server.bin_dir(), &[("DATABASE_URL", database.url())]);
    let mut source = Database::on(&server).await;
    source
        .sql(
            "CREATE TABLE orders (id serial PRIMARY KEY);
             CREATE SEQUENCE numbers;
             CREATE TABLE invoices (id integer DEFAULT nextval('numbers') PRIMARY KEY);
             INSERT INTO orders SELECT nextval('orders_id_seq') FROM generate_series(1, 695);
             INSERT INTO invoices SELECT nextval('numbers') FROM generate_series(1, 70)",
        )
        .await;
    let ways = [
        ("pg_restore --dbname=\"$DATABASE_URL\" all.dump", (696, 71)),
        (
            "pg_restore --dbname=\"$DATABASE_URL\" --schema-only all.dump
             pg_restore --dbname=\"$DATABASE_URL\" --data-only --table=orders --table=invoices all.dump",
            (1, 1),
        ),
        (
            "pg_restore --dbname=\"$DATABASE_URL\" --schema-only all.dump
             psql \"$DATABASE_URL\" -c \"SELECT setval('orders_id_seq', 1000)\"
             pg_dump --data-only --table=orders --table=invoices \"$SOURCE\" | psql -q \"$DATABASE_URL\"",
            (696, 1),
        ),
        (
            "pg_restore --dbname=\"$DATABASE_URL\" --schema-only all.dump
             for table in orders invoices; do
                 psql \"$SOURCE\" -c \"COPY $table TO STDOUT\" | psql \"$DATABASE_URL\" -c \"COPY $table FROM STDIN\"
             done",
            (1, 1),
        ),
    ];
    for (way, next) in ways {
        let target = Database::on(&server).await;
        let script = format!("SOURCE='{}'\npg_dump --format=custom --file=all.dump \"$SOURCE\"\n{way}", source.url());
        tools(&target).run(&script).exits(0);
        let looked = target.once(&["--dry-run"]);
        let next_value = |name| looked.sequence(name)["next_value"].as_i64().unwrap();
        assert_eq!((next_value("public.orders_id_seq"), next_value("public.numbers")), next, "{way}");
        assert_eq!(looked.code, if next == (696, 71) { 0 } else { 3 }, "{way}");
    }
}
