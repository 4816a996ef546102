//! The metrics of repairs: which guard holds them, and the cause of the drift.

use super::{EVERY_SECOND, orders, rewind, series};
use crate::support::{Agent, Database};

const POISONED: &str = "
    CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (657), (2000000000);
    SELECT setval('t_id_seq', 657)";

const GUARDS: [&str; 9] =
    ["far_ids", "thin", "budget", "no_unique_key", "no_index", "limit", "ownership", "privilege", "read_only"];

fn held(database: &Database, guard: &str) -> String {
    series("sequences_held", database, &format!("DATABASE,reason=\"{guard}\""))
}

fn repaired(database: &Database, cause: &str, method: &str) -> String {
    let labels = format!("cause=\"{cause}\",DATABASE,method=\"{method}\",outcome=\"repaired\"");
    series("repairs_total", database, &labels)
}

#[tokio::test]
async fn a_held_repair_is_shown_by_its_guard_until_it_is_no_longer_needed() {
    let mut database = Database::new().await;
    database.sql(POISONED).await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&held(&database, "far_ids"), |held| held == 1.0);
    for guard in &GUARDS[1..] {
        assert_eq!(agent.metric(&held(&database, guard)), Some(0.0), "{guard}");
    }
    // The owner of the data corrects the mistake.
    database.sql("DELETE FROM t WHERE id = 2000000000").await;
    agent.wait_until(&held(&database, "far_ids"), |held| held == 0.0);
    agent.stop();
}

#[tokio::test]
async fn a_repair_is_counted_by_its_method_and_its_cause() {
    let mut database = orders().await;
    let agent = Agent::start(&database, EVERY_SECOND);
    agent.wait_until(&repaired(&database, "unknown", "advance"), |repaired| repaired == 1.0);
    rewind(&database).await;
    agent.wait_until(&repaired(&database, "rewound", "advance"), |repaired| repaired == 1.0);
    database.sql("INSERT INTO orders SELECT generate_series(21, 30)").await;
    agent.wait_until(&repaired(&database, "ids_inserted", "advance"), |repaired| repaired == 1.0);
    assert_eq!(agent.metric(&repaired(&database, "rewound", "leap")), Some(0.0));
    agent.stop();
}

#[tokio::test]
async fn drift_that_lasts_is_counted_once_with_the_cause_it_was_found_with_also_where_no_insert_fails() {
    let mut database = Database::new().await;
    let tables = "CREATE TABLE t (id serial PRIMARY KEY); SELECT setval('t_id_seq', 4000);
                  CREATE TABLE u (id serial PRIMARY KEY); INSERT INTO u VALUES (10), (2000000000); SELECT setval('u_id_seq', 20)";
    database.sql(tables).await;
    let rule = "[[sequences.rules]]\nmatch = 'public.u_id_seq'\nrepair = false\n";
    let agent = Agent::start(&database, &format!("{EVERY_SECOND}full_pass_every = 1\n{rule}"));
    agent.passes_again(&database.name, 1.0);
    database.sql("SELECT setval('t_id_seq', 1000, false)").await;
    let counted = |cause: &str| series("drift_detected_total", &database, &format!("cause=\"{cause}\",DATABASE"));
    agent.wait_until(&counted("rewound"), |drift| drift == 1.0);
    agent.passes_again(&database.name, 3.0);
    let found = ["rewound", "unknown", "ids_inserted"].map(|cause| agent.metric(&counted(cause)));
    assert_eq!(found, [Some(1.0), Some(1.0), Some(0.0)]);
    agent.stop();
}
