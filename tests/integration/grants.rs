//! `pgmedic grants` prints enough privileges for the configured work, and not one more.

use crate::support::{Agent, Database, Outcome, pgmedic};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use std::collections::BTreeSet;

/// Sequences with every kind of link, and one without. Each is behind after [`rewound`].
const SCHEMA: &str = "
    CREATE SCHEMA \"Sales\";
    CREATE TABLE serials (id serial PRIMARY KEY, secret text, other serial UNIQUE);
    CREATE TABLE \"Sales\".\"Orders\" (\"No\" bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, secret text);
    CREATE SEQUENCE shared;
    CREATE TABLE a (id integer DEFAULT nextval('shared') PRIMARY KEY, secret text);
    CREATE TABLE b (id numeric DEFAULT nextval('shared') PRIMARY KEY, secret text);
    CREATE SEQUENCE by_trigger;
    CREATE TABLE declared (id bigint PRIMARY KEY, secret text);
    CREATE TABLE parent (id serial PRIMARY KEY, secret text);
    CREATE TABLE child () INHERITS (parent);
    CREATE SEQUENCE unlinked;
    CREATE SEQUENCE cycling CYCLE;
    CREATE TABLE cycles (id integer DEFAULT nextval('cycling'));
    CREATE TABLE texts (id text DEFAULT nextval('shared'));
    CREATE TABLE computed (id bigint);
    CREATE SEQUENCE odd OWNED BY computed.id;
    ALTER TABLE computed ALTER id SET DEFAULT nextval('odd') * 10;
    CREATE SCHEMA elsewhere;
    CREATE TABLE elsewhere.excluded (id serial PRIMARY KEY);

    -- More relations than one transaction may lock: each partition is read by itself.
    CREATE SCHEMA parts;
    CREATE TABLE many (id serial, day integer, secret text, PRIMARY KEY (id, day)) PARTITION BY LIST (day);
    CREATE TABLE parts.many_1 PARTITION OF many FOR VALUES IN (1);
    CREATE TABLE parts.many_2 PARTITION OF many FOR VALUES IN (2);
    CREATE TABLE parts.many_3 PARTITION OF many FOR VALUES IN (3);
    DO $$BEGIN FOR i IN 1..170 LOOP EXECUTE format('CREATE INDEX many_%s ON many (id)', i); END LOOP; END$$;

    INSERT INTO serials SELECT id, '', id FROM generate_series(1, 20) AS id;
    INSERT INTO \"Sales\".\"Orders\" OVERRIDING SYSTEM VALUE SELECT id, '' FROM generate_series(1, 20) AS id;
    INSERT INTO a SELECT id, '' FROM generate_series(1, 20) AS id;
    INSERT INTO b SELECT id, '' FROM generate_series(1, 30) AS id;
    INSERT INTO declared SELECT id, '' FROM generate_series(1, 20) AS id;
    INSERT INTO child SELECT id, '' FROM generate_series(1, 20) AS id;
    INSERT INTO many SELECT id, 1 + id % 3, '' FROM generate_series(1, 20) AS id;
    INSERT INTO elsewhere.excluded VALUES (20);
";

const SETTINGS: &str = "
    [sequences]
    exclude = [\"elsewhere.*\"]
    [[sequences.feeds]]
    sequence = \"public.by_trigger\"
    column = \"public.declared.id\"
";

/// The privileges that the role must have in the end, written independently of the code.
const EXPECTED: &str = "
    CONNECT on database
    USAGE on schema public
    USAGE on schema \"Sales\"
    USAGE on schema parts
    SELECT on serials_id_seq
    SELECT on serials_other_seq
    SELECT on \"Sales\".\"Orders_No_seq\"
    SELECT on shared
    SELECT on by_trigger
    SELECT on parent_id_seq
    SELECT on unlinked
    SELECT on many_id_seq
    USAGE on serials_id_seq
    USAGE on serials_other_seq
    USAGE on \"Sales\".\"Orders_No_seq\"
    USAGE on by_trigger
    USAGE on parent_id_seq
    USAGE on many_id_seq
    USAGE on shared
    SELECT on serials (id)
    SELECT on serials (other)
    SELECT on \"Sales\".\"Orders\" (\"No\")
    SELECT on a (id)
    SELECT on b (id)
    SELECT on declared (id)
    SELECT on parent (id)
    SELECT on many (id)
    SELECT on parts.many_1 (id)
    SELECT on parts.many_2 (id)
    SELECT on parts.many_3 (id)
";

/// The privileges of a role, from the catalog.
const GRANTED: &str = "
    SELECT a.privilege_type || ' on database' FROM pg_database o, aclexplode(o.datacl) a
    WHERE o.datname = current_database() AND a.grantee = to_regrole($1)
  UNION ALL
    SELECT a.privilege_type || ' on schema ' || oid::regnamespace FROM pg_namespace o, aclexplode(o.nspacl) a
    WHERE a.grantee = to_regrole($1)
  UNION ALL
    SELECT a.privilege_type || ' on ' || oid::regclass FROM pg_class o, aclexplode(o.relacl) a
    WHERE a.grantee = to_regrole($1)
  UNION ALL
    SELECT a.privilege_type || ' on ' || attrelid::regclass || ' (' || quote_ident(attname) || ')'
    FROM pg_attribute o, aclexplode(o.attacl) a
    WHERE a.grantee = to_regrole($1)
  UNION ALL
    SELECT 'something of ' || classid::regclass FROM pg_shdepend
    WHERE refclassid = 'pg_authid'::regclass AND refobjid = to_regrole($1)
      AND classid NOT IN ('pg_database'::regclass, 'pg_namespace'::regclass, 'pg_class'::regclass)
  UNION ALL
    SELECT 'membership in ' || roleid::regrole FROM pg_auth_members WHERE member = to_regrole($1)
  UNION ALL
    SELECT 'an attribute' FROM pg_roles
    WHERE oid = to_regrole($1) AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls)
";

struct Scene {
    database: Database,
    role: String,
}

impl Scene {
    /// In a database without default privileges.
    async fn new(schema: &str) -> Self {
        let mut database = Database::new().await;
        let role = database.role("Medic");
        database.sql(&format!("REVOKE ALL ON DATABASE {} FROM PUBLIC", database.name)).await;
        database.sql("REVOKE ALL ON SCHEMA public FROM PUBLIC").await;
        database.sql(schema).await;
        Self { database, role }
    }

    /// The output for the role, from a connection as superuser.
    fn printed(&self, settings: &str) -> String {
        let file = self.database.config(settings);
        let arguments = ["grants", "--role", &self.role, "--config", file.path().to_str().unwrap()];
        pgmedic(&[], &arguments).exits(0).stdout
    }

    /// One pass as the role.
    fn once(&self, settings: &str, arguments: &[&str]) -> Outcome {
        let file = self.database.config(settings);
        let text = std::fs::read_to_string(file.path()).unwrap();
        std::fs::write(file.path(), text.replace(self.database.url(), &self.url())).unwrap();
        let config = ["--once", "--format", "json", "--config", file.path().to_str().unwrap()];
        pgmedic(&[], &[&config, arguments].concat())
    }

    fn url(&self) -> String {
        self.database.url_as(&self.role)
    }

    async fn granted(&mut self) -> BTreeSet<String> {
        let role = format!("\"{}\"", self.role);
        let rows = sqlx::query(GRANTED).bind(role).fetch_all(&mut self.database.connection).await.unwrap();
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Restarts every sequence.
    async fn rewind(&mut self) {
        self.database
            .sql("SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relname <> 'excluded_id_seq'")
            .await;
    }
}

/// The active `GRANT`s.
fn statements(script: &str) -> Vec<&str> {
    script.lines().filter(|line| line.starts_with("GRANT ")).collect()
}

fn lacks_something(outcome: &Outcome) -> bool {
    outcome.code != 0 || outcome.stdout.contains("a privilege is missing")
}

#[tokio::test]
async fn the_whole_work_is_done_with_what_is_printed_and_each_grant_is_needed() {
    let mut scene = Scene::new(SCHEMA).await;
    let script = scene.printed(SETTINGS);
    scene.database.sql(&script).await;
    scene.rewind().await;

    let outcome = scene.once(SETTINGS, &[]).exits(0);
    assert!(!lacks_something(&outcome), "{}", outcome.stdout);
    let summary = &outcome.json()["summary"];
    assert_eq!((&summary["behind"], &summary["repaired"]), (&7.into(), &7.into()), "{}", outcome.stdout);
    assert_eq!(scene.database.nextval("shared").await, 31);
    assert_eq!(scene.database.nextval("many_id_seq").await, 21);

    let grants = statements(&script);
    assert!(grants.len() >= 25, "{script}");
    for grant in grants {
        let revoke = grant.replacen("GRANT", "REVOKE", 1).replace(" TO ", " FROM ");
        scene.database.sql(&revoke).await;
        scene.rewind().await;
        assert!(lacks_something(&scene.once(SETTINGS, &[])), "nothing fails without: {grant}");
        scene.database.sql(grant).await;
    }
    assert!(!lacks_something(&scene.once(SETTINGS, &[]).exits(0)), "granted again");
}

#[tokio::test]
async fn the_agent_needs_nothing_more_to_lead_to_listen_and_to_see_what_has_changed() {
    let mut scene =
        Scene::new("CREATE TABLE serials (id serial PRIMARY KEY); INSERT INTO serials DEFAULT VALUES").await;
    let script = scene.printed("");
    scene.database.sql(&script).await;
    scene.rewind().await;
    let settings = "[sequences]\nschedule = \"* * * * * *\"\nfull_pass_every = 1000000\n[log]\nlevel = \"debug\"";
    let agent = Agent::start_at(&scene.url(), &scene.database, settings);
    scene.database.wait_until("SELECT last_value = 1 AND is_called FROM serials_id_seq").await;
    agent.logs("listening for NOTIFY pgmedic");
    agent.logs(" changed=0 ");
    let log = agent.stop();
    assert!(!log.contains("permission denied") && !log.contains("a privilege is missing"), "{log}");
}

#[tokio::test]
async fn nothing_more_is_granted() {
    let mut scene = Scene::new(SCHEMA).await;
    let script = scene.printed(SETTINGS);
    scene.database.sql(&script).await;
    let expected = EXPECTED.lines().map(|line| line.trim().to_owned()).filter(|line| !line.is_empty());
    assert_eq!(scene.granted().await, expected.collect());

    let mut connection = PgConnection::connect(&scene.url()).await.unwrap();
    for forbidden in [
        "SELECT secret FROM serials",
        "SELECT * FROM \"Sales\".\"Orders\"",
        "SELECT id FROM child",
        "SELECT id FROM texts",
        "SELECT id FROM elsewhere.excluded",
        "INSERT INTO serials DEFAULT VALUES",
        "UPDATE serials SET id = id",
        "DELETE FROM serials",
        "TRUNCATE serials",
        "SELECT setval('serials_id_seq', 1)",
        "SELECT nextval('unlinked')",
        "SELECT last_value FROM cycling",
        "ALTER SEQUENCE serials_id_seq CACHE 1",
        "CREATE TABLE mine ()",
        "CREATE TEMPORARY TABLE mine ()",
    ] {
        let refused = sqlx::raw_sql(AssertSqlSafe(forbidden)).execute(&mut connection).await;
        let refused = refused.err().unwrap_or_else(|| panic!("{forbidden} was allowed"));
        let code = refused.as_database_error().and_then(|error| error.code().map(|code| code.into_owned()));
        assert_eq!(code.as_deref(), Some("42501"), "{forbidden}: {refused}");
    }
}

#[tokio::test]
async fn running_it_again_changes_nothing_and_observing_needs_no_usage() {
    let mut scene = Scene::new("CREATE TABLE t (id serial PRIMARY KEY)").await;
    let observe = "[sequences]\nrepair = false";
    let script = scene.printed(observe);
    scene.database.sql(&script).await;
    let once = scene.granted().await;
    scene.database.sql(&script).await;
    assert_eq!(scene.granted().await, once);
    assert!(!script.contains("USAGE ON SEQUENCE") && script.contains("sequences.repair is false"), "{script}");
    scene.once(observe, &[]).exits(0);
}

#[tokio::test]
async fn it_is_printed_to_a_role_that_may_only_connect_and_is_for_that_role() {
    let mut scene = Scene::new("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let connect = format!(
        "CREATE ROLE \"{role}\" LOGIN; GRANT CONNECT ON DATABASE {name} TO \"{role}\"",
        role = scene.role,
        name = scene.database.name
    );
    scene.database.sql(&connect).await;
    let url = scene.url();
    let outcome = pgmedic(&[("DATABASE_URL", &url)], &["grants"]).exits(0);
    scene.database.sql(&outcome.stdout).await;
    assert_eq!(scene.once("", &[]).exits(0).json()["summary"]["repaired"], 1);
}

#[tokio::test]
async fn row_security_and_leaps_are_explained_and_left_to_the_administrator() {
    let mut scene = Scene::new(
        "CREATE TABLE hidden (id serial PRIMARY KEY); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
         CREATE SEQUENCE cached CACHE 10; CREATE TABLE t (id integer DEFAULT nextval('cached') PRIMARY KEY);
         INSERT INTO hidden VALUES (7); INSERT INTO t SELECT generate_series(1, 200000)",
    )
    .await;
    let owner = scene.database.role("owner");
    scene
        .database
        .sql(&format!(
            "CREATE ROLE {owner}; ALTER SCHEMA public OWNER TO {owner}; ALTER TABLE hidden OWNER TO {owner};
             ALTER TABLE t OWNER TO {owner}; ALTER SEQUENCE cached OWNER TO {owner}"
        ))
        .await;
    let script = scene.printed("");
    scene.database.sql(&script).await;
    let before = scene.once("", &[]).exits(3);
    assert_eq!(before.sequence("public.hidden_id_seq")["verdict"], "unreadable");
    assert_eq!(before.sequence("public.cached")["repair"]["outcome"], "held");

    let role = &scene.role;
    let optional = [format!("ALTER ROLE \"{role}\" BYPASSRLS;"), format!("GRANT {owner} TO \"{role}\";")];
    for statement in &optional {
        assert!(script.contains(&format!("\n-- {statement}\n")), "{statement} is not in\n{script}");
        scene.database.sql(statement).await;
    }
    let after = scene.once("", &[]).exits(0);
    assert_eq!(after.sequence("public.hidden_id_seq")["repair"]["outcome"], "repaired");
    assert_eq!(after.sequence("public.cached")["repair"]["method"], "leap");
}

#[tokio::test]
async fn tables_of_tomorrow_are_covered_by_what_is_commented_out() {
    let mut scene = Scene::new("").await;
    let owner = scene.database.role("owner");
    scene.database.sql(&format!("CREATE ROLE {owner}; ALTER SCHEMA public OWNER TO {owner}; SET ROLE {owner}")).await;
    scene.database.sql("CREATE TABLE t (id serial PRIMARY KEY); RESET ROLE").await;
    let script = scene.printed("");
    scene.database.sql(&script).await;
    let options: Vec<&str> = script.lines().filter_map(|line| line.strip_prefix("-- ALTER DEFAULT")).collect();
    assert_eq!(options.len(), 2, "{script}");
    for option in options {
        scene.database.sql(&format!("ALTER DEFAULT{option}")).await;
    }
    scene.database.sql(&format!("SET ROLE {owner}; CREATE TABLE later (id serial PRIMARY KEY)")).await;
    scene.database.sql("INSERT INTO later VALUES (7); RESET ROLE").await;
    assert_eq!(scene.once("", &[]).exits(0).sequence("public.later_id_seq")["repair"]["outcome"], "repaired");
}

#[tokio::test]
async fn names_that_would_break_out_stay_names() {
    let mut scene = Scene::new(
        "CREATE SCHEMA \"x\nDROP TABLE public.canary; --\"; CREATE TABLE canary (id serial PRIMARY KEY);
         CREATE TABLE \"x\nDROP TABLE public.canary; --\".t (id serial PRIMARY KEY);
         ALTER TABLE \"x\nDROP TABLE public.canary; --\".t ENABLE ROW LEVEL SECURITY",
    )
    .await;
    scene.role = format!("{}'$$\"\nDROP TABLE canary; --", scene.role);
    let script = scene.printed("");
    scene.database.sql(&script).await;
    assert_eq!(scene.database.number("SELECT count(*) FROM canary").await, 0);
    let role = scene.role.replace('\'', "''");
    assert_eq!(scene.database.number(&format!("SELECT count(*) FROM pg_roles WHERE rolname = '{role}'")).await, 1);
}

#[tokio::test]
async fn what_is_configured_and_not_there_is_said() {
    let scene = Scene::new("CREATE SEQUENCE s").await;
    let script = scene.printed("[[sequences.feeds]]\nsequence = \"public.s\"\ncolumn = \"public.nothing.id\"");
    assert!(script.contains("-- Not covered: sequences.feeds declares column public.nothing.id"), "{script}");
}

#[tokio::test]
async fn without_a_connection_nothing_is_printed_and_the_cause_is_named() {
    let outcome = pgmedic(&[("DATABASE_URL", "postgres://medic@127.0.0.1:1/app")], &["grants"]).exits(1);
    assert_eq!(outcome.stdout, "");
    assert!(outcome.stderr.contains("app cannot be asked") && outcome.stderr.contains("refused"), "{}", outcome.stderr);
}
