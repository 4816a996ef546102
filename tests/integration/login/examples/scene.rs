//! A database with users and sessions, where nobody but its superuser may set the sequence back.

use super::super::store::migrated_with;
use crate::support::{Agent, Database, pgmedic};

/// Users who log in, with the password `secret`.
pub const USERS: usize = 4;
/// Others, with an old session each that stays: its ids are 1 to this.
pub const IDLE: i64 = 500;

pub const SEQUENCE: &str = "public.user_sessions_session_id_seq";

/// The agent's: it looks every second, and whenever it is told. It leaves it to the logins to end older sessions.
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

/// Whatever needs only to call `nextval` has a role that may do no more: `setval` asks for UPDATE of the sequence, and
/// ALTER SEQUENCE for its ownership. So it is the server that keeps the application, `pgmedic.repair` and the agent
/// from moving it back.
pub struct Scene {
    pub database: Database,
    /// The application's role.
    pub app: String,
    agent: String,
    /// Whose rights `pgmedic.repair` has.
    repairer: String,
}

impl Scene {
    /// `hash` is of the users' password.
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

    /// What must hold when the logins are over.
    pub async fn is_in_order(&mut self, agent: &Agent) {
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

        // The agent does its part: nobody logs in any more.
        self.database.sql(&format!("SELECT setval('{SEQUENCE}', 7)")).await;
        let repaired = format!("SELECT last_value >= (SELECT max(session_id) FROM user_sessions) FROM {SEQUENCE}");
        self.database.until(&repaired).await;
        let back = "SELECT count(*) FROM pgmedic.repair_log WHERE from_value > to_value OR outcome <> 'repaired'";
        assert_eq!(self.database.number(back).await, 0);
        let name = &self.database.name;
        for pass in ["sequences", "sessions"] {
            let failures = format!("pgmedic_pass_failures_total{{database=\"{name}\",pass=\"{pass}\"}}");
            assert_eq!(agent.metric(&failures), Some(0.0), "{}", agent.log());
        }
    }
}
