//! `pgmedic sql install`: a function that any language can call, and that gives its callers no other privilege.
//!
//! | module | what it tests |
//! |---|---|
//! | `block` | how far a repair goes |
//! | `constraint` | the form that takes the fields of the error |
//! | `log` | the repair log and the notification |
//! | `judged` | which sequences are repaired |
//! | `refused` | what is refused with the reason |
//! | `rights` | which roles may call it on which tables |
//! | `script` | the scripts that install and uninstall it |

mod block;
mod constraint;
mod judged;
mod log;
mod refused;
mod rights;
mod script;

use crate::support::{Database, pgmedic};
use sqlx::postgres::{PgConnection, PgListener};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A database with a role that owns the tables, the schema `pgmedic` installed for that role, and an application's role.
struct Scene {
    database: Database,
    owner: String,
    app: String,
}

impl Scene {
    /// `tables` are statements that the owner runs.
    async fn new(tables: &str) -> Self {
        let mut database = Database::new().await;
        let (owner, app) = (database.role("The 'Owner'"), database.role("The App"));
        database
            .sql(&format!(
                "CREATE ROLE \"{owner}\"; CREATE ROLE \"{app}\" LOGIN; GRANT CREATE ON SCHEMA public TO \"{owner}\";
                 SET ROLE \"{owner}\"; {tables}; RESET ROLE"
            ))
            .await;
        let script = pgmedic(&[], &["sql", "install", "--owner", &owner, "--grant", &app]).exits(0).stdout;
        database.sql(&script).await;
        // An upgrade runs the script again.
        database.sql(&script).await;
        Self { database, owner, app }
    }

    async fn application(&self) -> PgConnection {
        PgConnection::connect(&self.database.url_as(&self.app.replace(' ', "%20"))).await.unwrap()
    }

    /// Lets the application insert into table `t`.
    async fn may_insert(&mut self) {
        let grants = format!(
            "GRANT INSERT ON t TO \"{app}\"; GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO \"{app}\"",
            app = self.app
        );
        self.database.sql(&grants).await;
    }

    /// Calls the function as the application.
    async fn repair(&self, call: &str) -> Result<i64, String> {
        let mut application = self.application().await;
        repair(&mut application, call).await
    }
}

async fn repair(connection: &mut PgConnection, call: &str) -> Result<i64, String> {
    let row = sqlx::query(AssertSqlSafe(format!("SELECT pgmedic.repair({call})"))).fetch_one(connection).await;
    row.map(|row| row.get(0)).map_err(|error| error.as_database_error().unwrap().message().to_owned())
}

const INCIDENT: &str = "
    CREATE TABLE user_sessions (session_id serial PRIMARY KEY, user_id integer NOT NULL);
    INSERT INTO user_sessions SELECT id, id % 50 FROM generate_series(1, 695) AS id;
    SELECT setval('user_sessions_session_id_seq', 658, false)";

/// The incident's table. The application may insert into it, and may not read it.
async fn incident() -> Scene {
    let mut scene = Scene::new(INCIDENT).await;
    let grants = format!(
        "GRANT INSERT (user_id) ON user_sessions TO \"{app}\";
         GRANT USAGE ON SEQUENCE user_sessions_session_id_seq TO \"{app}\"",
        app = scene.app
    );
    scene.database.sql(&grants).await;
    scene
}

const CALL: &str = "'user_sessions', 'session_id'";
const LOGIN: &str = "INSERT INTO user_sessions (user_id) VALUES (7)";

#[tokio::test]
async fn an_application_repairs_the_table_that_it_may_only_insert_into() {
    let mut scene = incident().await;
    let mut listener = PgListener::connect(scene.database.url()).await.unwrap();
    listener.listen("pgmedic").await.unwrap();
    let mut application = scene.application().await;
    assert!(sqlx::query(LOGIN).execute(&mut application).await.is_err());
    assert_eq!(repair(&mut application, CALL).await, Ok(37));
    sqlx::query(LOGIN).execute(&mut application).await.unwrap();
    assert_eq!(repair(&mut application, CALL).await, Ok(0), "the sequence is not behind any more");
    assert_eq!(scene.database.nextval("user_sessions_session_id_seq").await, 697);

    let event = "SELECT role || ' ' || source || ' ' || sequence || ' ' || outcome || ' ' || from_value || ' '
                 || to_value || ' ' || (at BETWEEN now() - interval '1 minute' AND clock_timestamp())
                 FROM pgmedic.repair_log";
    let event: String = scene.database.row(event).await.get(0);
    let expected = format!("{} inline public.user_sessions_session_id_seq repaired 659 696 true", scene.app);
    assert_eq!(event, expected);
    assert_eq!(listener.recv().await.unwrap().payload(), "public.user_sessions_session_id_seq");
}

async fn run(connection: &mut PgConnection, statements: &str) {
    let statements = AssertSqlSafe(statements.to_owned());
    sqlx::raw_sql(statements).execute(connection).await.unwrap();
}

/// Runs every SQL block of docs/login.md line by line. The line marked as failing must fail.
#[tokio::test]
async fn the_statements_of_the_guide_do_what_it_says() {
    let mut scene = incident().await;
    scene.database.sql(&format!("GRANT SELECT ON pgmedic.repair_log TO \"{}\"", scene.app)).await;
    let mut application = scene.application().await;
    let document = include_str!("../../../../docs/login.md");
    let blocks = document.split("```sql\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let (mut statements, mut failures) = (0, 0);
    for line in blocks.flat_map(str::lines) {
        let result = sqlx::raw_sql(AssertSqlSafe(line.to_owned())).execute(&mut application).await;
        match (result, line.contains("-- fails: 23505")) {
            (Ok(_), false) => {}
            (Err(error), true) => {
                let error = error.as_database_error().unwrap();
                assert_eq!((error.code().as_deref(), error.constraint()), (Some("23505"), Some("user_sessions_pkey")));
                failures += 1;
            }
            (result, _) => panic!("{line}: {result:?}"),
        }
        statements += 1;
    }
    assert_eq!((statements, failures), (8, 1));
    assert_eq!(scene.database.number("SELECT max(session_id)::bigint FROM user_sessions").await, 696);
}

/// Six applications insert, and three of them delete ids again, which must not be handed out twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_race_of_inserts_and_repairs_hands_no_id_out_twice() {
    let mut scene = Scene::new("CREATE TABLE t (id bigserial PRIMARY KEY)").await;
    scene.may_insert().await;
    scene.database.sql(&format!("GRANT SELECT, DELETE ON t TO \"{}\"", scene.app)).await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut clients = Vec::new();
    for client in 0..6 {
        let (stop, mut connection) = (Arc::clone(&stop), scene.application().await);
        clients.push(tokio::spawn(async move {
            let (mut ids, mut moved) = (Vec::new(), 0);
            while !stop.load(Ordering::Relaxed) {
                let insert = "INSERT INTO t DEFAULT VALUES RETURNING id";
                match sqlx::query_scalar::<_, i64>(insert).fetch_one(&mut connection).await {
                    Ok(id) => ids.push(id),
                    Err(_) => moved += repair(&mut connection, "'t', 'id'").await.unwrap(),
                }
                if client < 3 {
                    run(&mut connection, "DELETE FROM t WHERE id % 3 = 0").await;
                }
            }
            (ids, moved)
        }));
    }
    for _ in 0..20 {
        let before = scene.database.number("SELECT last_value FROM t_id_seq").await;
        let ahead =
            format!("INSERT INTO t SELECT generate_series({before} + 10, {before} + 200) ON CONFLICT DO NOTHING");
        scene.database.sql(&ahead).await;
        scene.database.wait_until(&format!("SELECT last_value > {before} + 250 FROM t_id_seq")).await;
    }
    stop.store(true, Ordering::Relaxed);
    let (mut given, mut all, mut moved) = (BTreeSet::new(), 0, 0);
    for client in clients {
        let (ids, by_client) = client.await.unwrap();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
        all += ids.len();
        moved += by_client;
        given.extend(ids);
    }
    println!("{all} inserts, {moved} values moved");
    assert_eq!(given.len(), all, "an id was handed out twice");
    assert!(moved > 1000, "only {moved}");
}
