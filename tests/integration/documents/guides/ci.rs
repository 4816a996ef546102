use super::Guide;
use crate::support::Database;

#[tokio::test]
async fn in_ci() {
    let mut database = Database::new().await;
    database
        .sql(
            "CREATE TABLE orders (id serial PRIMARY KEY); INSERT INTO orders SELECT generate_series(1, 7);
             CREATE TABLE users (id serial PRIMARY KEY); INSERT INTO users DEFAULT VALUES;
             CREATE SEQUENCE legacy_no",
        )
        .await;
    let mut guide = Guide::of("in-ci", &[("DATABASE_URL", &database)]);
    guide.walk(&["1", "2", "3", "4", "5"]);
    guide.is_done();
    assert_eq!(database.number("INSERT INTO orders DEFAULT VALUES RETURNING id::bigint").await, 8);
}

/// Checks the guide's table of exit codes, with the guide's script.
#[tokio::test]
async fn the_script_tells_drift_from_what_could_not_be_looked_at() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE users (id serial PRIMARY KEY); INSERT INTO users DEFAULT VALUES").await;
    let nowhere = Database::new().await;
    assert_eq!(Guide::of("in-ci", &[("DATABASE_URL", &database)]).prints("2"), "no drift\n");
    let url = format!("{}_gone", nowhere.url().replace(&nowhere.name, "test"));
    let variables = [("DATABASE_URL", url.as_str())];
    let lost = Guide::named("in-ci", crate::support::server().bin_dir(), &variables);
    assert_eq!(lost.prints("2"), "nothing was looked at\n");
}
