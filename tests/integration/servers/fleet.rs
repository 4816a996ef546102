//! Many databases on a server with few connections, which an application wants for itself.

use super::*;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinHandle;

/// `make proof` has more of them.
fn databases() -> usize {
    std::env::var("FLEET_DATABASES").map_or(30, |number| number.parse().expect("FLEET_DATABASES is a whole number"))
}

/// Bytes that an agent on a thousand databases may take, also while all of them are shown.
const MOST_MEMORY: f64 = 60e6;

/// Connects again and again, with all connections but those of pgmedic and this test.
struct Application {
    tasks: Vec<JoinHandle<u64>>,
    over: Arc<AtomicBool>,
}

impl Application {
    fn start(server: &TestServer, connections: usize, databases: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (over, url) = (Arc::clone(&over), server.url(&format!("tenant_{}", number % databases)));
            tokio::spawn(async move {
                let mut connected = 0;
                while !over.load(Ordering::Relaxed) {
                    let connection = PgConnection::connect(&url).await;
                    let mut connection = connection.unwrap_or_else(|error| panic!("refused: {error}"));
                    sqlx::raw_sql("SELECT pg_sleep(0.1)").execute(&mut connection).await.unwrap();
                    connection.close().await.unwrap();
                    connected += 1;
                }
                connected
            })
        };
        Self { tasks: (0..connections).map(client).collect(), over }
    }

    async fn stop(self) -> u64 {
        self.over.store(true, Ordering::Relaxed);
        let mut connected = 0;
        for task in self.tasks {
            connected += task.await.unwrap();
        }
        connected
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_application_is_never_refused_while_many_databases_are_monitored_and_one_of_them_is_repaired() {
    let databases = databases();
    let settings = [("max_connections", "16"), ("superuser_reserved_connections", "0")];
    let server = crate::support::server_with(&settings);
    let mut postgres = maintenance(&server).await;
    postgres.sql("CREATE DATABASE model").await;
    let mut model = Database::at("model", server.url("model")).await;
    model.sql(ORDERS).await;
    model.sql("SELECT setval('orders_id_seq', 20)").await;
    model.connection.close().await.unwrap();
    for number in 0..databases {
        postgres.sql(&format!("CREATE DATABASE tenant_{number} TEMPLATE model")).await;
    }
    // Of the 16: four are pgmedic's at most, and one or two this test's.
    let application = Application::start(&server, 8, databases);
    let agent = start(&table(&server.url("postgres"), "include = [\"tenant_*\"]\nmax_connections = 4"));
    let last = format!("tenant_{}", databases - 1);
    agent.wait_until(&series("pgmedic_database_up", &last, ""), |up| up == 1.0);
    for number in [7, 23] {
        let mut tenant = Database::at("tenant", server.url(&format!("tenant_{number}"))).await;
        tenant.sql(BEHIND).await;
        tenant.wait_until(REPAIRED).await;
        tenant.connection.close().await.unwrap();
    }
    assert!(application.stop().await > 0);
    for path in ["/metrics", "/", "/api/v1/reports"] {
        let shown = agent.get(path).1;
        assert!(shown.contains("tenant_7"), "{path}");
        let memory = agent.metric("process_resident_memory_bytes").expect("its memory");
        assert!(memory <= MOST_MEMORY, "{memory} bytes after {path} of {databases} databases");
    }
    let metrics = agent.get("/metrics").1;
    let max = metrics.lines().find(|line| line.starts_with("pgmedic_server_connections_max{")).unwrap();
    assert!(max.ends_with(" 4"), "{max}");
    let log = agent.stop();
    assert!(!log.contains("WARN") && !log.contains("ERROR"), "{log}");
    assert_eq!(log.matches("no LISTEN in").count(), 1, "{log}");
}
