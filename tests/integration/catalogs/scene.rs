//! A database with many random cases, and the roles that run pgmedic on it.

use super::SETTINGS;
use super::case::{Case, Who, any_case};
use super::dice::Dice;
use crate::support::{Database, Outcome};
use sqlx::{AssertSqlSafe, Row};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

/// The number of sequences in a round, unless `CATALOG_CASES` is set.
const CASES: usize = 48;

static SEED: LazyLock<u64> =
    LazyLock::new(|| number("CATALOG_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish()));

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable} is a whole number")))
}

pub struct Scene {
    pub database: Database,
    pub dice: Dice,
    pub cases: Vec<Case>,
    /// The reported name of each sequence, by the name that this test quotes. The server quotes only where it must.
    pub reported: HashMap<String, String>,
}

impl Scene {
    pub async fn new(round: u64) -> Self {
        println!("CATALOG_SEED={}", *SEED);
        let mut dice = Dice::new(SEED.wrapping_add(round));
        let cases = number("CATALOG_CASES").map_or(CASES, |cases| usize::try_from(cases).expect("a number"));
        let cases: Vec<Case> = (0..cases).map(|number| any_case(&mut dice, number)).collect();
        let mut database = Database::new().await;
        let [owner, stranger] = ["owner", "stranger"].map(|name| database.role(name));
        let spies = database.spies("m");
        database
            .sql(&format!(
                "CREATE ROLE {owner} LOGIN; CREATE ROLE {stranger}; GRANT CREATE ON DATABASE {} TO {owner}, {stranger};
                 CREATE TABLE public.told (); CREATE SCHEMA m AUTHORIZATION {owner}; GRANT USAGE ON SCHEMA m TO PUBLIC;
                 SET ROLE {owner}; {spies} RESET ROLE",
                database.name
            ))
            .await;
        for case in &cases {
            let sql = case.sql(&stranger, &owner);
            database.sql(&format!("SET ROLE {owner}; {sql} RESET ROLE")).await;
        }
        let mut scene = Self { database, dice, cases, reported: HashMap::new() };
        scene.reported = scene.names().await;
        scene
    }

    /// The seed that repeats this run, for the message of a failed assertion.
    pub fn seed(&self) -> String {
        format!("CATALOG_SEED={}", *SEED)
    }

    pub fn role(&self, who: Who) -> String {
        match who {
            Who::Superuser => "postgres".to_owned(),
            Who::Owner => self.database.role("owner"),
            Who::Medic => self.database.role("medic"),
        }
    }

    /// Creates the role with the SQL that `pgmedic grants` prints.
    pub async fn make_medic(&mut self) {
        let config = self.database.config(SETTINGS);
        let path = config.path().to_str().expect("a UTF-8 path");
        let role = self.role(Who::Medic);
        let outcome = crate::support::pgmedic(&[], &["grants", "--config", path, "--role", &role]);
        let script = outcome.exits(0).stdout;
        self.database.sql(&script).await;
    }

    pub fn pass(&self, who: Who, arguments: &[&str]) -> Outcome {
        self.database.once_with_as(&self.role(who), SETTINGS, arguments)
    }

    async fn names(&mut self) -> HashMap<String, String> {
        let query = "SELECT '\"' || replace(n.nspname, '\"', '\"\"') || '\".\"' || replace(c.relname, '\"', '\"\"') || '\"',
                            format('%I.%I', n.nspname, c.relname)
                     FROM pg_sequence q JOIN pg_class c ON c.oid = q.seqrelid JOIN pg_namespace n ON n.oid = c.relnamespace
                     WHERE c.relpersistence <> 't'";
        let rows = sqlx::query(query).fetch_all(&mut self.database.connection).await.expect("the sequences");
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// The next value of each sequence, by the name that this test quotes.
    pub async fn states(&mut self) -> HashMap<String, i64> {
        let names: Vec<String> = self.names().await.into_keys().collect();
        self.states_of(names).await
    }

    pub async fn states_of(&mut self, names: Vec<String>) -> HashMap<String, i64> {
        let mut states = HashMap::new();
        for name in names {
            let query = format!(
                "SELECT last_value + CASE WHEN is_called THEN seqincrement ELSE 0 END
                 FROM {name} AS s JOIN pg_sequence ON seqrelid = s.tableoid"
            );
            let row = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_one(&mut self.database.connection);
            states.insert(name, row.await.expect("a sequence").get(0));
        }
        states
    }

    /// Everything in the database except the state of sequences.
    pub async fn contents(&mut self) -> String {
        let query = "SELECT md5(string_agg(t.what, ',' ORDER BY t.what)) FROM (
                         SELECT concat_ws(' ', 'relation', oid, relname, relnamespace, relowner, relkind, relacl, relpersistence)
                                AS what FROM pg_class
                       UNION ALL SELECT concat_ws(' ', 'column', attrelid, attnum, attname, attacl, atttypid) FROM pg_attribute
                       UNION ALL SELECT concat_ws(' ', 'function', oid, proname, proowner, prosrc, proacl) FROM pg_proc
                       UNION ALL SELECT concat_ws(' ', 'schema', oid, nspname, nspowner, nspacl) FROM pg_namespace
                       UNION ALL SELECT concat_ws(' ', 'trigger', oid, tgname, tgenabled) FROM pg_trigger
                       UNION ALL SELECT concat_ws(' ', 'sequence', s.*) FROM pg_sequence s
                       UNION ALL SELECT concat_ws(' ', 'role', oid, rolname, rolsuper) FROM pg_roles
                                 WHERE rolname LIKE current_database() || '\\_%') AS t";
        self.database.row(query).await.get(0)
    }
}
