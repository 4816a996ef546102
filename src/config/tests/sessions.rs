use super::*;

const LEAST: &str = "name = \"logins\"\ntable = \"public.s\"\n";
const EXPIRY: &str = "expires_at = \"ends\"\nencoding = \"timestamptz\"\n";

fn store(lines: &str) -> SessionStoreConfig {
    file(&format!("[[sessions]]\n{lines}")).settings().sessions.remove(0)
}

/// Checks that a store with these lines is refused with these words.
#[track_caller]
fn refused(lines: &str, words: &[&str]) {
    assert_says(&file(&format!("[[sessions]]\n{lines}")).error(), words);
}

#[test]
fn several_meanings_make_one_store() {
    let store = store(&format!(
        "{LEAST}{EXPIRY}last_activity = '\"lastSeen\"'\nidle_timeout = \"30m\"\ncreated_at = \"made\"\n\
         absolute_timeout = \"8h\"\n"
    ));
    let kinds: Vec<(ExpiryKind, &str, u64)> =
        store.meanings.iter().map(|m| (m.kind, m.column.as_str(), m.timeout.as_secs())).collect();
    let expected = [
        (ExpiryKind::ExpiresAt, "ends", 0),
        (ExpiryKind::LastActivity, "lastSeen", 1800),
        (ExpiryKind::CreatedAt, "made", 28_800),
    ];
    assert_eq!(kinds, expected);
    assert_eq!(store.newest_by, "made");
    assert_eq!(store.action, Action::Delete);
}

#[test]
fn what_is_shown_loads_again_as_the_same() {
    for lines in [
        format!(
            "{LEAST}{EXPIRY}revoke = {{ column = '\"Revoked\"' }}\nuser = \"u\"\nmax_per_user = 2\ncreated_at = \"c\""
        ),
        format!("{LEAST}{EXPIRY}revoke = {{ column = \"active\", value = false }}\nschedule = \"@hourly\""),
        format!(
            "{LEAST}{EXPIRY}revoke = {{ column = \"state\", value = 7 }}\ngrace_period = \"0s\"\nmax_ended_ratio = 1"
        ),
        format!("{LEAST}{EXPIRY}revoke = {{ column = \"state\", value = \"over\" }}\nbatch_size = 10000"),
        "preset = \"flask-session\"".to_owned(),
        "preset = \"doorkeeper\"\nuser = [\"resource_owner_id\", \"application_id\"]".to_owned(),
        format!("{LEAST}{EXPIRY}only = {{ kind = [\"web\", \"null\", 7, true], \"\\\"Odd\\\"\" = false }}"),
        "preset = \"laravel\"\nidle_timeout = \"2h\"\nname = \"web\"".to_owned(),
    ] {
        let first = file(&format!("[[sessions]]\n{lines}")).settings();
        let again = file(&first.redacted_toml()).settings();
        assert_eq!(first.sessions, again.sessions, "{lines}");
    }
}

#[test]
fn a_preset_is_overridden_key_by_key() {
    let django = store("preset = \"django\"");
    assert_eq!((django.name.as_str(), django.table.to_string()), ("django", "public.django_session".to_owned()));
    let other = store("preset = \"django\"\nname = \"shop\"\ntable = \"shop.sessions\"\nexpires_at = \"ends\"");
    assert_eq!((other.name.as_str(), other.table.to_string()), ("shop", "shop.sessions".to_owned()));
    assert_eq!(other.meanings[0].column, "ends");
    // The time zone belongs to the encoding.
    assert_eq!(store("preset = \"flask-session\"\nencoding = \"timestamptz\"").encoding, Encoding::Timestamptz);
    let zone = store("preset = \"flask-session\"\ntime_zone = \"Asia/Tokyo\"").encoding;
    assert_eq!(zone, Encoding::Timestamp { time_zone: "Asia/Tokyo".to_owned() });
}

#[test]
fn every_preset_makes_a_store_with_what_it_leaves_to_be_stated() {
    for preset in Preset::all() {
        let rest = match preset.name {
            "connect-pg-simple" => "time_zone = \"America/New_York\"",
            "rails" | "activerecord-session_store" => "absolute_timeout = \"14days\"",
            "laravel" | "grafana" | "gitea" | "keycloak-offline" => "idle_timeout = \"2h\"",
            _ => "",
        };
        let store = store(&format!("preset = \"{}\"\n{rest}", preset.name));
        assert_eq!(store.meanings.len(), 1, "{}", preset.name);
        if !rest.is_empty() {
            file(&format!("[[sessions]]\npreset = \"{}\"", preset.name)).error();
        }
    }
}

#[test]
fn two_stores_of_one_table_differ_in_a_column() {
    let both = |first: &str, second: &str| {
        let store =
            |name: &str, only: &str| format!("[[sessions]]\nname = \"{name}\"\ntable = \"public.s\"\n{EXPIRY}{only}\n");
        file(&(store("web", first) + &store("api", second)))
    };
    let apart = both("only = { kind = \"web\" }", "only = { kind = [\"api\", \"cli\"], active = true }");
    assert_eq!(apart.settings().sessions.len(), 2);
    for (first, second) in [
        ("", ""),
        ("", "only = { kind = \"api\" }"),
        ("only = { kind = [\"web\", \"api\"] }", "only = { kind = \"api\" }"),
    ] {
        let error = both(first, second).error();
        let words =
            ["sessions[1].table", "public.s, the table of sessions[0] too", "expected `only` in each of the two"];
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    let elsewhere = "database = \"none\"";
    assert!(!both(elsewhere, "").error().contains("the table of"), "another database is named first");
}

#[test]
fn a_session_is_not_revoked_by_the_text_that_only_reads_as_null() {
    refused(
        &format!("{LEAST}{EXPIRY}revoke = {{ column = \"token\", value = \"null\" }}"),
        &["sessions[0].revoke.value: found \"null\"", "without `value`"],
    );
}

#[test]
fn what_is_left_out_is_named_with_what_was_expected() {
    refused("table = \"public.s\"", &["sessions[0]: found no `encoding`"]);
    refused(&format!("table = \"public.s\"\n{EXPIRY}"), &["pgmedic.toml:1:1: sessions[0]: found no `name`"]);
    refused(&format!("name = \"a\"\n{EXPIRY}"), &["neither `table` nor `preset`"]);
    refused(
        &format!("{LEAST}encoding = \"timestamptz\""),
        &["nothing that says when a session expires", "`expires_at`"],
    );
    refused(
        &format!("{LEAST}{EXPIRY}last_activity = \"seen\""),
        &["found no `idle_timeout`, expected `idle_timeout` beside `last_activity`"],
    );
    refused(&format!("{LEAST}{EXPIRY}created_at = \"made\""), &["`absolute_timeout` beside `created_at`"]);
    refused(
        &format!("{LEAST}{EXPIRY}idle_timeout = \"30m\""),
        &["sessions[0].idle_timeout: found `idle_timeout` without `last_activity`"],
    );
    refused(
        &format!("{LEAST}{EXPIRY}max_per_user = 1"),
        &["pgmedic.toml:6:16: sessions[0].max_per_user: found no `user`", "the session's user"],
    );
    refused(&format!("{LEAST}expires_at = \"e\"\nencoding = \"timestamp\""), &["no `time_zone`", "SHOW TimeZone"]);
}

#[test]
fn what_cannot_be_is_refused_where_it_stands() {
    let cases = [
        ("table = \"s\"", "sessions[0].table: found \"s\" (1 part(s) where 2 are needed)"),
        ("expires_at = \"a.b\"", "sessions[0].expires_at: found \"a.b\" (2 part(s) where 1 are needed)"),
        ("encoding = \"unix\"", "found \"unix\", expected one of timestamptz, timestamp, epoch-seconds, epoch-millis"),
        ("time_zone = \"UTC\"", "`time_zone` with encoding \"timestamptz\", which has none"),
        ("action = \"purge\"", "found \"purge\", expected action = \"delete\", or revoke"),
        ("action = \"delete\"\nrevoke = { column = \"r\" }", "sessions[0].action: found `revoke` as well"),
        ("revoke = { value = 1 }", "sessions[0].revoke: found no `column`"),
        ("revoke = { column = \"a\", value = 1.5 }", "found the number 1.5, expected text in quotes, a whole number"),
        ("revoke = { colunm = \"a\" }", "unknown key `sessions[0].revoke.colunm`; did you mean `column`?"),
        ("user = \"u\"\nmax_per_user = 0", "a whole number from 1 to"),
        ("batch_size = 0", "from 1 to 10000"),
        ("batch_size = 10001", "from 1 to 10000"),
        ("grace_period = \"2days\"", "a duration from 0s to 1day"),
        ("max_ended_ratio = 0", "above 0 and up to 1"),
        ("guard_min_sessions = -1", "from 0 to"),
        ("sweep_timeout = \"0s\"", "from 1ms to 1day"),
        ("schedule = \"* * * * *\"", "six fields"),
        ("database = \"shop\"", "found \"shop\", expected the name of a configured database: app"),
        ("preset = \"djagno\"", "found \"djagno\", expected a preset (see `pgmedic presets`): django, perhaps"),
        ("expire_at = \"a\"", "unknown key `sessions[0].expire_at`; did you mean `expires_at`?"),
    ];
    for (line, words) in cases {
        let key = line.split(' ').next().unwrap();
        let others: String = format!("{LEAST}{EXPIRY}")
            .lines()
            .filter(|other| !other.starts_with(&format!("{key} ")))
            .map(|other| format!("{other}\n"))
            .collect();
        refused(&format!("{others}{line}"), &["pgmedic.toml:", words]);
    }
    refused(
        &format!("{LEAST}{EXPIRY}\n[[sessions]]\n{LEAST}{EXPIRY}"),
        &["sessions[1].name", "the name of sessions[0] too"],
    );
}

#[test]
fn a_lifetime_counts_from_one_time_and_only_has_values() {
    let lifetime = "lifetime = { column = \"ttl\", unit = \"seconds\" }\n";
    let by_made = format!("{LEAST}encoding = \"timestamptz\"\ncreated_at = \"made\"\n");
    let kept = store(&format!("{by_made}{lifetime}"));
    let expected = Some(Lifetime { column: "ttl".to_owned(), unit: LifetimeUnit::Seconds });
    assert_eq!((kept.meanings[0].kind, kept.meanings[0].lifetime.clone()), (ExpiryKind::CreatedAt, expected));
    refused(
        &format!("{by_made}absolute_timeout = \"8h\"\n{lifetime}"),
        &["sessions[0].lifetime: found `absolute_timeout` as well"],
    );
    refused(&format!("{LEAST}{EXPIRY}{lifetime}"), &["neither `created_at` nor `last_activity`"]);
    refused(&format!("{by_made}lifetime = {{ column = \"ttl\" }}"), &["sessions[0].lifetime: found no `unit`"]);
    refused(
        &format!("{by_made}lifetime = {{ column = \"ttl\", unit = \"weeks\" }}"),
        &[
            "sessions[0].lifetime.unit: found \"weeks\", expected one of nanoseconds, microseconds, milliseconds, seconds",
        ],
    );
    refused(&format!("{LEAST}{EXPIRY}only = {{ kind = [] }}"), &["sessions[0].only.kind: found an empty list"]);
    refused(&format!("{LEAST}{EXPIRY}only = {{ kind = 1.5 }}"), &["sessions[0].only.kind: found the number 1.5"]);
    refused(&format!("{LEAST}{EXPIRY}only = {{ \"a.b\" = 1 }}"), &["sessions[0].only.a.b: found \"a.b\""]);
    refused(&format!("{LEAST}{EXPIRY}only = \"web\""), &["sessions[0].only", "columns with their values"]);
    refused(&format!("{LEAST}{EXPIRY}user = 7"), &["sessions[0].user", "text in quotes, or a list of texts"]);
}

#[test]
fn a_zone_is_a_name_and_no_offset() {
    let zone = |zone: &str| format!("{LEAST}expires_at = \"e\"\nencoding = \"timestamp\"\ntime_zone = \"{zone}\"");
    for good in ["UTC", "America/Port-au-Prince", "Etc/GMT+5", "EST5EDT", "GMT0", "Europe/Zurich"] {
        store(&zone(good));
    }
    for bad in ["UTC+3", "UTC3", "America/New_York3", "+03:00", "<x>3", "-05", "", "Foo Bar", "GMT-5"] {
        refused(&zone(bad), &["sessions[0].time_zone: found", "by its name"]);
    }
}

#[test]
fn stores_are_written_in_the_file_only() {
    let error = variable("PGMEDIC_SESSIONS__0__NAME", "a").error();
    assert_says(
        &error,
        &["PGMEDIC_SESSIONS__0__NAME", "[[sessions]] tables can only be written in the configuration file"],
    );
}
