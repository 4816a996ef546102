//! A wrong configuration: one error with file, key and what was expected, exit code 2, and no connection.

use crate::support::{Database, pgmedic};

/// Refused with these words, on stderr, in one line that begins with the program's name.
#[track_caller]
fn refused(database: &Database, settings: &str, words: &[&str]) {
    let config = database.config(settings);
    let path = config.path().to_str().unwrap();
    for arguments in [&["--once", "-c", path][..], &["check-config", "-c", path], &["-c", path]] {
        let outcome = pgmedic(&[], arguments).exits(2);
        assert_eq!(outcome.stdout, "", "{settings}");
        assert!(outcome.stderr.starts_with("pgmedic: "), "{}", outcome.stderr);
        for word in [&[path], words].concat() {
            assert!(outcome.stderr.contains(word), "{word:?} is not in: {}", outcome.stderr);
        }
    }
}

#[tokio::test]
async fn bad_settings_are_named_with_their_file_and_touch_nothing() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    for (settings, words) in [
        ("[sequences]\nlock_timout = \"1s\"", &["sequences.lock_timout", "lock_timeout", ":2:1"][..]),
        ("[sequence]\nrepair = true", &["sequence", "sequences"]),
        ("[sequences]\nrepair = \"yes\"", &["sequences.repair", "true or false"]),
        ("[sequences]\nheadroom = -1", &["sequences.headroom", "-1", "0 to 4294967295"]),
        ("[sequences]\nadvance_limit = 1.5", &["sequences.advance_limit", "1.5"]),
        ("[sequences]\nmax_repair_ratio = 0", &["sequences.max_repair_ratio", "above 0 and up to 1"]),
        ("[sequences]\nmax_repair_ratio = 1.1", &["sequences.max_repair_ratio", "1.1"]),
        ("[sequences]\nlock_timeout = \"0s\"", &["sequences.lock_timeout"]),
        ("[sequences]\nlock_timeout = 5", &["sequences.lock_timeout", "5"]),
        ("[sequences]\nschedule = \"* * * * *\"", &["sequences.schedule", "* * * * *"]),
        ("[sequences]\ninclude = [\"orders\"]", &["sequences.include[0]", "schema.sequence"]),
        ("[sequences]\ninclude = []", &["sequences.include", "at least one pattern"]),
        ("[[sequences.feeds]]\nsequence = 'public.s'", &["sequences.feeds", "column"]),
        ("[[sequences.feeds]]\nsequence = 's'\ncolumn = 'public.t.id'", &["sequences.feeds", "sequence"]),
        ("[log]\nlevel = \"loud\"", &["log.level", "loud", "debug"]),
        ("[sequences", &["not valid TOML"]),
        ("[[databases]]\nname = \"other\"", &["databases[0]", "url"]),
    ] {
        refused(&database, settings, words);
    }
    assert_eq!(database.nextval("t_id_seq").await, 1);
}

#[tokio::test]
async fn a_bad_variable_is_named() {
    let database = Database::new().await;
    for (name, value, word) in [
        ("PGMEDIC_SEQUENCES__HEADROOM", "many", "PGMEDIC_SEQUENCES__HEADROOM"),
        ("PGMEDIC_SEQUENCES__HEADROM", "5", "PGMEDIC_SEQUENCES__HEADROOM"),
        ("PGMEDIC_CONFIG", "/no/such/file.toml", "/no/such/file.toml: cannot be read"),
        ("DATABASE_URL", "db.internal/shop", "DATABASE_URL"),
    ] {
        let outcome = pgmedic(&[("DATABASE_URL", database.url()), (name, value)], &["--once"]).exits(2);
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
        assert_eq!(outcome.stdout, "");
    }
}

#[tokio::test]
async fn without_any_database_the_ways_to_name_one_are_told() {
    let outcome = pgmedic(&[], &["--once"]).exits(2);
    for word in ["no database is named", "[[databases]]", "DATABASE_URL"] {
        assert!(outcome.stderr.contains(word), "{}", outcome.stderr);
    }
}

#[tokio::test]
async fn a_variable_overrides_the_file() {
    let mut database = Database::new().await;
    database.sql("CREATE TABLE t (id serial PRIMARY KEY); INSERT INTO t VALUES (7)").await;
    let config = database.config("[sequences]\nheadroom = 10\n");
    let path = config.path().to_str().unwrap();
    let variables = [("PGMEDIC_CONFIG", path), ("PGMEDIC_SEQUENCES__HEADROOM", "20")];
    pgmedic(&variables, &["--once"]).exits(0);
    assert_eq!(database.nextval("t_id_seq").await, 28);
}

#[tokio::test]
async fn a_url_file_that_is_gone_is_an_error_of_that_database_only() {
    let outcome = pgmedic(&[("DATABASE_URL_FILE", "/no/such/secret")], &["--once"]).exits(2);
    assert!(outcome.stderr.contains("/no/such/secret: cannot be read"), "{}", outcome.stderr);
}
