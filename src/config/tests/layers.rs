use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::key::{Key, KeyType};
use crate::config::layers::DEFAULTS;
use crate::config::schema::ROOT;

fn texts(patterns: &[Pattern]) -> Vec<String> {
    patterns.iter().map(ToString::to_string).collect()
}

#[test]
fn the_defaults_are_those_of_the_design() {
    let settings = variable("PGMEDIC_CONFIG", "unused").settings();
    let expected = Sequences {
        schedule: Schedule::Cron("*/30 * * * * *".to_owned()),
        listen_notify: true,
        repair: true,
        include: vec!["*.*".parse().unwrap()],
        exclude: vec![],
        headroom: 0,
        advance_limit: 100_000,
        max_repair_ratio: 0.01,
        warn_used_ratio: 0.75,
        fail_used_ratio: 0.9,
        lock_timeout: Duration::from_millis(100),
        statement_timeout: Duration::from_secs(5),
        full_pass_every: 20,
        feeds: vec![],
        rules: vec![],
    };
    assert_eq!(settings.sequences, expected);
    let expected = Log { format: LogFormat::Text, level: tracing::Level::INFO };
    assert_eq!(settings.log, expected);
}

#[test]
fn the_shipped_default_file_changes_nothing() {
    let shipped = file(DEFAULTS).settings();
    let built_in = variable("PGMEDIC_CONFIG", "unused").settings();
    assert_eq!(shipped.redacted_toml(), built_in.redacted_toml());
}

#[test]
fn the_shipped_default_file_names_every_key() {
    fn look(keys: &[Key]) {
        for key in keys {
            let named = match key.value {
                KeyType::Table(_) | KeyType::Tables(_) | KeyType::Conditions => {
                    DEFAULTS.contains(&format!("[{}]", key.name))
                        || DEFAULTS.contains(&format!(".{}]", key.name))
                        || DEFAULTS.contains(&format!("# {} = {{", key.name))
                }
                _ => {
                    let set = format!("{} = ", key.name);
                    DEFAULTS.lines().any(|line| line.trim_start_matches("# ").starts_with(&set))
                        || DEFAULTS.contains(&format!("{{ {set}"))
                        || DEFAULTS.contains(&format!(", {set}"))
                }
            };
            assert!(named, "{} is missing in config/pgmedic.toml", key.name);
            if let KeyType::Table(below) | KeyType::Tables(below) = key.value {
                look(below);
            }
        }
    }
    look(ROOT);
}

#[test]
fn the_commented_keys_of_the_default_file_are_good_too() {
    let uncommented: Vec<&str> = DEFAULTS
        .lines()
        .map(|line| match line.strip_prefix("# ") {
            // Alternatives to another key.
            Some(code)
                if ["url_file", "preset", "time_zone", "revoke", "lifetime"]
                    .iter()
                    .any(|key| code.starts_with(key)) =>
            {
                line
            }
            Some(code) if code.starts_with('[') || code.contains(" = \"") || code.starts_with("repair = ") => code,
            _ => line,
        })
        .collect();
    let settings = file(&uncommented.join("\n")).settings();
    assert_eq!(settings.databases[0].name, "app");
    assert_eq!(settings.sequences.feeds[0].column_text(), "public.orders.id");
    // The values that the file shows for a store are the defaults.
    let least = "[[sessions]]\nname = \"logins\"\ntable = \"public.user_sessions\"\nexpires_at = \"expires_at\"\n\
                 encoding = \"timestamptz\"\n";
    let [shown, least] = [&settings.sessions[0], &file(least).settings().sessions[0]];
    let defaults = |store: &SessionStoreConfig| {
        let SessionStoreConfig {
            schedule,
            batch_size: batch,
            grace_period: grace,
            max_ended_ratio,
            guard_min_sessions,
            action,
            ..
        } = store.clone();
        (schedule, batch, grace, max_ended_ratio.to_bits(), guard_min_sessions, action)
    };
    assert_eq!(defaults(shown), defaults(least));
    for (key, value) in
        [("batch_size", least.batch_size.to_string()), ("guard_min_sessions", least.guard_min_sessions.to_string())]
    {
        assert!(DEFAULTS.contains(&format!("# {key} = {value} ")), "{key}");
    }
    assert!(DEFAULTS.contains(&format!("# max_ended_ratio = {} ", least.max_ended_ratio)));
}

#[test]
fn the_shipped_example_is_good() {
    let text = include_str!("../../../config/example.toml");
    let settings = file(text).settings();
    let names: Vec<&str> = settings.databases.iter().map(|database| database.name.as_str()).collect();
    assert_eq!(names, ["shop", "accounts"]);
    assert_eq!(settings.sequences.feeds[1].column.column, "No");
    assert!(settings.sequences.covers("public", "orders_id_seq"));
    assert!(!settings.sequences.covers("import", "orders_id_seq"));
    assert!(!settings.sequences.covers("public", "legacy.orders"));
}

#[test]
fn a_file_replaces_only_what_it_names() {
    let settings = file("[sequences]\nheadroom = 7\ninclude = [\"a.*\"]\n").settings();
    assert_eq!(settings.sequences.headroom, 7);
    assert_eq!(texts(&settings.sequences.include), ["a.*"]);
    assert_eq!(settings.sequences.advance_limit, 100_000);
}

#[test]
fn a_variable_overrides_the_file() {
    let settings = file("[sequences]\nrepair = true\nheadroom = 7\n[log]\nlevel = \"warn\"")
        .variable("PGMEDIC_SEQUENCES__REPAIR", "false")
        .variable("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "200ms")
        .variable("PGMEDIC_SEQUENCES__MAX_REPAIR_RATIO", "1")
        .variable("PGMEDIC_LOG__FORMAT", "json")
        .settings();
    assert!(!settings.sequences.repair);
    assert_eq!(settings.sequences.headroom, 7);
    assert_eq!(settings.sequences.lock_timeout, Duration::from_millis(200));
    assert_eq!(settings.sequences.max_repair_ratio, 1.0);
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.log.level, tracing::Level::WARN);
}

#[test]
fn a_list_in_a_variable_is_split_at_commas_outside_quotes() {
    let settings = file("[sequences]\ninclude = [\"x.*\"]\nexclude = [\"y.*\"]")
        .variable("PGMEDIC_SEQUENCES__INCLUDE", r#"a.*, b.*,"c,d".*"#)
        .variable("PGMEDIC_SEQUENCES__EXCLUDE", "")
        .settings();
    assert_eq!(texts(&settings.sequences.include), ["a.*", "b.*", r#""c,d".*"#]);
    assert!(settings.sequences.exclude.is_empty());
    assert!(settings.sequences.covers("c,d", "e"));
}

#[test]
fn variables_of_other_programs_are_ignored() {
    bare()
        .variable("DATABASE_URL", "postgres://u@localhost/app")
        .variable("PGMEDICS", "x")
        .variable("HOME", "/root")
        .variable("PGMEDIC_SERVICE_HOST", "10.0.0.1")
        .variable("PGMEDIC_SERVICE_PORT", "9847")
        .variable("PGMEDIC_SERVICE_PORT_METRICS", "9847")
        .variable("PGMEDIC_PORT", "tcp://10.0.0.1:9847")
        .variable("PGMEDIC_PORT_9847_TCP", "tcp://10.0.0.1:9847")
        .variable("PGMEDIC_PORT_9847_TCP_ADDR", "10.0.0.1")
        .variable("PGMEDIC_METRICS_SERVICE_HOST", "10.0.0.1")
        .settings();
}

#[test]
fn exclude_wins_over_include() {
    let settings = file("[sequences]\ninclude = [\"public.*\"]\nexclude = [\"*.tmp*\"]").settings();
    assert!(settings.sequences.covers("public", "orders"));
    assert!(!settings.sequences.covers("audit", "orders"));
    assert!(!settings.sequences.covers("public", "tmp_orders"));
}

#[test]
fn declared_feeds_hold_stored_names() {
    let settings =
        file("[[sequences.feeds]]\nsequence = 'Public.\"Order.No\"'\ncolumn = 'public.Orders.\"Id\"'").settings();
    let feed = &settings.sequences.feeds[0];
    assert_eq!((feed.sequence.schema.as_str(), feed.sequence.name.as_str()), ("public", "Order.No"));
    assert_eq!((feed.column.table.name.as_str(), feed.column.column.as_str()), ("orders", "Id"));
}

#[test]
fn the_leadership_key_stays_the_same_so_that_agents_of_two_versions_elect_one_leader() {
    let default = variable("PGMEDIC_CONFIG", "unused").settings();
    assert_eq!(default.leadership_key(&"app".into()), 1_453_664_126);
    let settings = file(
        "[sequences]\nexclude = ['a.b']\n[[sessions]]\nname = 'logins'\ntable = 'public.s'\nexpires_at = 'e'\n\
         encoding = 'timestamptz'",
    );
    assert_eq!(settings.settings().leadership_key(&"app".into()), -1_809_355_917);
}

#[test]
fn a_missing_file_is_named_with_its_cause() {
    let error = Settings::load(Some(Path::new("/no/such.toml")), &Environment::default()).unwrap_err();
    assert_says(&error.to_string(), &["/no/such.toml", "No such file"]);
}
