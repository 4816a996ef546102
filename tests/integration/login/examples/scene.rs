//! A database with users and sessions, in which only the superuser may set the sequence back.

use super::super::store::migrated_with;
use crate::support::{Agent, Database, pgmedic};

/// Users who log in, with the password `secret`.
pub const USERS: usize = 4;
/// Users who do not log in, each with a session. The ids of these sessions are 1 to this number.
pub const IDLE: i64 = 500;

pub const SEQUENCE: &str = "public.user_sessions_session_id_seq";

/// The agent's configuration: a pass every second, and on each notification. Logins end the older sessions.
const SETTINGS: &str = "
    [sequences]
    schedule = \"* * * * * *\"
    [[sessions]]
    name = \"logins\"
    table = \"public.user_sessions\"
    expires_at = \"expires_at\"
    encoding = \"timestamptz\"
    schedule = \"* * * * * *\"
";

/// The database, and the roles of the application, the agent, and the function `pgmedic.repair`. These roles may call
/// `nextval` and no more: `setval` needs UPDATE on the sequence, and ALTER SEQUENCE its ownership. So the server itself
/// keeps them from moving the sequence back.
pub struct Scene {
    pub database: Database,
    /// The application's role.
    pub app: String,
    agent: String,
    /// The role with whose privileges `pgmedic.repair` runs.
    repairer: String,
}

impl Scene {
    /// `hash` is the hash of every user's password.
    pub async fn new(hash: &str) -> Self {
        let mut database = migrated_with(include_str!("../../../../examples/login-server/users.sql")).await;
        let (app, agent, repairer) = (database.role("app"), database.role("agent"), database.role("repairer"));
        database
            .sql(&format!(
                "INSERT INTO users (name, password) SELECT 'user' || n, '{hash}' FROM generate_series(1, {USERS}) AS n;
                 INSERT INTO users (name, password) SELECT 'idle' || n, '-' FROM generate_series(1, {IDLE}) AS n;
                 INSERT INTO user_sessions
                 SELECT n, {USERS} + n, sha256(n::text::bytea), now(), now() + interval '1 day'
                 FROM generate_series(1, {IDLE}) AS n;
                 SELECT setval('{SEQUENCE}', {IDLE});
                 CREATE ROLE {app} LOGIN; CREATE ROLE {repairer};
                 GRANT SELECT, INSERT, UPDATE ON users TO {app};
                 GRANT SELECT, INSERT, UPDATE, DELETE ON user_sessions TO {app};
                 GRANT SELECT, USAGE ON SEQUENCE {SEQUENCE} TO {app}, {repairer};
                 GRANT SELECT ON user_sessions TO {repairer}"
            ))
            .await;
        let config = database.config(SETTINGS);
        let config = config.path().to_str().unwrap();
        for script in [
            pgmedic(&[], &["grants", "--role", &agent, "--config", config]),
            pgmedic(&[], &["sql", "install", "--owner", &repairer, "--grant", &app, "--agent", &agent]),
        ] {
            database.sql(&script.exits(0).stdout).await;
        }
        Self { database, app, agent, repairer }
    }

    pub fn agent(&self) -> Agent {
        Agent::start_at(&self.database.url_as(&self.agent), &self.database, SETTINGS)
    }

    /// Asserts what must hold after the logins.
    pub async fn assert_in_order(&mut self, agent: &Agent) {
        let may_rewind = format!(
            "SELECT count(*) FROM unnest(ARRAY['{}', '{}', '{}']) AS role (name)
             WHERE has_sequence_privilege(role.name, '{SEQUENCE}', 'UPDATE')",
            self.app, self.agent, self.repairer
        );
        assert_eq!(self.database.number(&may_rewind).await, 0);
        let live = "SELECT coalesce(sum(live), 0)::bigint FROM (
                        SELECT count(*) AS live FROM user_sessions WHERE expires_at > now() GROUP BY user_id
                    ) AS users WHERE live = 1";
        assert_eq!(self.database.number(live).await, i64::try_from(USERS).unwrap() + IDLE, "one for each user");

        // The agent repairs the sequence although there are no more logins.
        self.database.sql(&format!("SELECT setval('{SEQUENCE}', 7)")).await;
        let repaired = format!("SELECT last_value >= (SELECT max(session_id) FROM user_sessions) FROM {SEQUENCE}");
        self.database.wait_until(&repaired).await;
        let back = "SELECT count(*) FROM pgmedic.repair_log WHERE from_value > to_value OR outcome <> 'repaired'";
        assert_eq!(self.database.number(back).await, 0);
        let name = &self.database.name;
        for pass in ["sequences", "sessions"] {
            let failures = format!("pgmedic_pass_failures_total{{database=\"{name}\",pass=\"{pass}\"}}");
            assert_eq!(agent.metric(&failures), Some(0.0), "{}", agent.log());
        }
    }
}
