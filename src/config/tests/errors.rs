use super::*;
use crate::config::key::KeyType;
use crate::config::keys::RENAMED;
use crate::config::schema::ROOT;

/// Checks that loading the file fails with these words.
#[track_caller]
fn refused(text: &str, words: &[&str]) {
    assert_says(&file(text).error(), words);
}

#[track_caller]
fn variable_refused(name: &str, value: &str, words: &[&str]) {
    let error = variable(name, value).error();
    assert!(error.starts_with(name), "{error}");
    assert!(!error.contains(".toml"), "{error}");
    assert_says(&error, words);
}

#[test]
fn a_misspelled_key_is_named_with_its_line_and_the_nearest_known_one() {
    refused("[sequences]\n  repiar = false\n", &["pgmedic.toml:2:3: ", "`sequences.repiar`", "did you mean `repair`?"]);
    refused("[sequence]\n", &["pgmedic.toml:1:2: ", "`sequence`", "`sequences`"]);
}

#[test]
fn a_misspelled_key_of_the_second_database_is_named_by_its_index() {
    refused(
        "[[databases]]\nurl = \"postgres://a@h/a\"\n[[databases]]\nnane = \"b\"\n",
        &["pgmedic.toml:4:1: ", "`databases[1].nane`", "`name`"],
    );
}

#[test]
fn an_old_key_is_refused_with_its_new_name_and_its_place() {
    let of_sequences = [("max_leap_ratio = 0.5", "max_repair_ratio"), ("listen = true", "listen_notify")];
    for (line, new) in of_sequences {
        let old = line.split(' ').next().unwrap();
        let words = format!("pgmedic.toml:2:2: unknown key `sequences.{old}`; it is now named `{new}`");
        refused(&format!("[sequences]\n {line}\n"), &[&words]);
        let variable = format!("PGMEDIC_SEQUENCES__{}", old.to_uppercase());
        let words = format!("{variable}: unknown variable; it is now named PGMEDIC_SEQUENCES__{}", new.to_uppercase());
        variable_refused(&variable, "1", &[&words]);
    }
    let of_sessions = [
        ("max_fraction = 0.5", "max_ended_ratio"),
        ("guard_floor = 100", "guard_min_sessions"),
        ("keep_newest = 1", "max_per_user"),
        ("batch = 500", "batch_size"),
        ("grace = '1m'", "grace_period"),
    ];
    for (line, new) in of_sessions {
        let old = line.split(' ').next().unwrap();
        let words = format!("pgmedic.toml:4:1: unknown key `sessions[1].{old}`; it is now named `{new}`");
        refused(&format!("[[sessions]]\nname = 'a'\n[[sessions]]\n{line}\n"), &[&words]);
        variable_refused(
            &format!("PGMEDIC_SESSIONS__0__{}", old.to_uppercase()),
            "1",
            &["[[sessions]] tables can only be written in the configuration file"],
        );
    }
}

#[test]
fn every_renamed_key_has_a_present_key_as_its_new_name() {
    for (table, old, new) in RENAMED {
        let section = ROOT.iter().find(|key| key.name == *table).unwrap();
        let (KeyType::Table(keys) | KeyType::Tables(keys)) = section.value else { panic!("{table} is no table") };
        assert!(keys.iter().any(|key| key.name == *new), "{table}.{new}");
        assert!(keys.iter().all(|key| key.name != *old), "{table}.{old}");
    }
}

#[test]
fn the_name_of_a_key_in_another_table_is_not_taken_for_an_old_one() {
    refused("[http]\nbatch = 1\n", &["unknown key `http.batch`; expected one of listen"]);
    assert_eq!(file("[http]\nlisten = \"[::1]:9847\"").settings().http.listen.unwrap().port(), 9847);
}

#[test]
fn a_key_far_from_any_known_one_gets_the_list() {
    refused("[frobnicate]\n", &["`frobnicate`", "expected one of databases, servers, sequences, sessions, http, log"]);
}

#[test]
fn a_syntax_error_has_its_line_and_column() {
    refused("[log]\nlevel = \"info\n", &["pgmedic.toml:2:", "not valid TOML"]);
    refused("[log]\n[log]\n", &["pgmedic.toml:2:", "duplicate key"]);
}

#[test]
fn a_wrong_type_says_what_was_found_and_expected() {
    let cases = [
        ("repair = \"no\"", "2:10", "sequences.repair: found \"no\", expected true or false"),
        ("repair = 1", "2:10", "found the number 1, expected true or false"),
        ("headroom = \"7\"", "2:12", "found \"7\", expected a whole number"),
        ("headroom = 1.5", "2:12", "found the number 1.5, expected a whole number"),
        ("headroom = 99999999999999999999", "2:12", "expected a whole number"),
        ("max_repair_ratio = true", "2:20", "found true, expected a number"),
        ("max_repair_ratio = nan", "2:20", "found the number nan, expected a number"),
        ("lock_timeout = 100", "2:16", "found the number 100, expected a duration with its unit"),
        ("include = \"public.*\"", "2:11", "found \"public.*\", expected a list"),
        ("exclude = [\"a.*\", 5]", "2:19", "sequences.exclude[1]: found the number 5, expected text"),
        ("schedule = 1979-05-27", "2:12", "found a date or time, expected text"),
        ("feeds = 1", "2:9", "expected tables, each under its own [[sequences.feeds]] header"),
        (
            "feeds = [1]",
            "2:10",
            "sequences.feeds[0]: found the number 1, expected tables, each under its own [[sequences.feeds]]",
        ),
    ];
    for (line, position, words) in cases {
        refused(&format!("[sequences]\n{line}\n"), &[&format!("pgmedic.toml:{position}: "), words]);
    }
    refused("sequences = 1", &["found the number 1, expected a table, under its own [sequences] header"]);
    refused(
        "[databases]\nname = \"a\"",
        &["databases: found a table, expected tables, each under its own [[databases]]"],
    );
}

#[test]
fn an_impossible_value_is_refused_where_it_stands() {
    let cases = [
        ("max_repair_ratio = 0", "above 0 and up to 1"),
        ("max_repair_ratio = 1.01", "above 0 and up to 1"),
        ("max_repair_ratio = -0.5", "above 0 and up to 1"),
        ("headroom = -1", "found the number -1, expected a whole number from 0 to 4294967295"),
        ("advance_limit = 4294967296", "a whole number from 0 to 4294967295"),
        ("lock_timeout = \"0s\"", "sequences.lock_timeout: found \"0s\", expected a duration from 1ms to 1day"),
        ("lock_timeout = \"999us\"", "from 1ms to 1day"),
        ("lock_timeout = \"1500us\"", "whole milliseconds"),
        ("lock_timeout = \"-5s\"", "from 1ms to 1day"),
        ("statement_timeout = \"25h\"", "from 1ms to 1day"),
        ("statement_timeout = \"5\"", "such as \"100ms\""),
        ("include = []", "at least one pattern"),
        ("include = [\"\"]", "sequences.include[0]: found \"\" (an empty part)"),
        ("include = [\"*.*\", \"orders\"]", "sequences.include[1]: found \"orders\" (1 part(s) where 2 are needed)"),
        ("exclude = [\"a.b.c\"]", "quote a part that holds a dot"),
    ];
    for (line, words) in cases {
        refused(&format!("[sequences]\n{line}\n"), &["pgmedic.toml:2:", words]);
    }
    refused("[log]\nlevel = \"loud\"", &["pgmedic.toml:2:9: log.level: found \"loud\", expected one of error, warn"]);
    refused("[log]\nformat = \"xml\"", &["log.format: found \"xml\", expected one of text, json"]);
}

#[test]
fn a_day_is_the_longest_timeout() {
    let settings = file("[sequences]\nstatement_timeout = \"1day\"\nlock_timeout = \"1ms\"").settings();
    assert_eq!(settings.sequences.statement_timeout.as_secs(), 86_400);
}

#[test]
fn a_five_field_cron_line_is_refused_and_corrected() {
    refused(
        "[sequences]\nschedule = \"*/5 * * * *\"",
        &[
            "pgmedic.toml:2:12: sequences.schedule: found \"*/5 * * * *\", expected six fields",
            "seconds come first",
            "\"0 */5 * * * *\"",
        ],
    );
}

#[test]
fn what_is_very_long_is_not_repeated() {
    let long = |value: &str| {
        let error = file(&format!("[sequences]\n{value}")).error();
        assert!(error.len() < 300, "{error}");
        error
    };
    let digits = "7".repeat(5000);
    assert_says(&long(&format!("headroom = {digits}")), &["found a number of 5000 digits, expected a whole number"]);
    assert_says(&long(&format!("max_repair_ratio = '{digits}'")), &["found a text of 5000 characters"]);
    assert_says(&long(&format!("schedule = '* * * * {digits}'")), &["so write \"0 …\""]);
    // Text that cannot be a cron line is not shown either: escaped, it would be longer.
    let escapes = "\\u001b".repeat(15);
    assert_says(&long(&format!("schedule = \"* * * * {escapes}\"")), &["so write \"0 …\""]);
}

#[test]
fn a_table_within_a_list_is_written_without_the_index() {
    refused(
        "[[sessions]]\nrevoke = 1",
        &["found the number 1, expected a table, under its own [sessions.revoke] header"],
    );
}

#[test]
fn a_declared_feed_is_complete_and_named_in_full() {
    let feed = |lines: &str| format!("[[sequences.feeds]]\n{lines}\n");
    refused(
        &feed("sequence = \"public.order_no\""),
        &["pgmedic.toml:1:1: sequences.feeds[0]: found no `column`, expected `column` as schema.table.column"],
    );
    refused(
        &feed("sequence = \"order_no\"\ncolumn = \"public.orders.id\""),
        &[
            "pgmedic.toml:2:12: sequences.feeds[0].sequence: found \"order_no\" (1 part(s) where 2 are needed)",
            "never guessed",
        ],
    );
    refused(
        &feed("sequence = \"public.order_no\"\ncolumn = \"orders.id\""),
        &["sequences.feeds[0].column: found \"orders.id\" (2 part(s) where 3 are needed)"],
    );
}

#[test]
fn a_declared_feed_names_a_configured_database() {
    refused(
        "[[databases]]\nname = \"app\"\nurl = \"postgres://h/a\"\n\
         [[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\ndatabase = \"shop\"\n",
        &["pgmedic.toml:7:12: sequences.feeds[0].database: found \"shop\"", "configured database: app"],
    );
}

#[test]
fn a_declared_feed_is_of_a_sequence_that_is_checked() {
    let feed = "[[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\n";
    refused(
        &format!("[sequences]\nexclude = [\"a.*\"]\n{feed}"),
        &[
            "pgmedic.toml:4:12: sequences.feeds[0].sequence: found \"a.s\", which sequences.include and exclude leave out",
        ],
    );
    refused(
        &format!("[sequences]\ninclude = [\"b.*\"]\n{feed}"),
        &["sequences.feeds[0].sequence: found \"a.s\"", "expected a sequence that is checked, or no such entry"],
    );
}

#[test]
fn a_link_is_declared_once_however_it_is_spelled() {
    refused(
        "[[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\n\
         [[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = 'A.\"t\".ID'\n",
        &["pgmedic.toml:6:10: sequences.feeds[1].column: found \"a.t.id\", declared in sequences.feeds[0] too"],
    );
    refused(
        "[[databases]]\nname = \"app\"\nurl = \"postgres://h/a\"\n\
         [[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\nallocator = \"hilo\"\n\
         [[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\nallocator = \"pooled\"\ndatabase = \"app\"\n",
        &["sequences.feeds[1].column: found \"a.t.id\", declared in sequences.feeds[0] too"],
    );
}

#[test]
fn a_pattern_has_one_star_on_each_side() {
    let feed = |sequence: &str, column: &str| {
        format!("[[sequences.feeds]]\nsequence = \"{sequence}\"\ncolumn = \"{column}\"\n")
    };
    // It would catch every column of that name.
    refused(
        &feed("public.hibernate_sequence", "public.*.id"),
        &[
            "pgmedic.toml:2:12: sequences.feeds[0].sequence: found 0 * in it",
            "one * in the sequence and one in the column",
        ],
    );
    refused(&feed("public.*_seq", "public.t.id"), &["sequences.feeds[0].column: found 0 * in it"]);
    refused(&feed("public.*_seq", "*.*.id"), &["sequences.feeds[0].column: found 2 * in it"]);
    refused(&feed("*.*", "*.*.id"), &["sequences.feeds[0].sequence: found 2 * in it"]);
}

#[test]
fn an_allocator_is_known_and_has_a_block_size_where_it_needs_one() {
    let feed = |lines: &str| format!("[[sequences.feeds]]\nsequence = \"a.s\"\ncolumn = \"a.t.id\"\n{lines}\n");
    refused(
        &feed("allocator = \"pool\""),
        &[
            "pgmedic.toml:4:13: sequences.feeds[0].allocator: found \"pool\"",
            "one of pooled, pooled_lo, hilo, legacy_hilo, residue",
        ],
    );
    refused(&feed("allocator = \"legacy_hilo\""), &["\"legacy_hilo\" without `block_size`", "50 by default"]);
    refused(&feed("allocator = \"pooled\"\nblock_size = 50"), &["block_size: found 50", "the sequence's INCREMENT"]);
    refused(&feed("block_size = 50"), &["block_size: found 50", "allocator = \"legacy_hilo\" beside it"]);
    for size in ["0", "-1", "4294967296"] {
        let settings = format!("allocator = \"legacy_hilo\"\nblock_size = {size}");
        refused(&feed(&settings), &[&format!("block_size: found {size}"), "from 1 to 4294967295"]);
    }
}

#[test]
fn a_wrong_variable_is_named_and_no_file_is_blamed() {
    variable_refused(
        "PGMEDIC_SEQUENCES__REPAIR",
        "nope",
        &["sequences.repair: found \"nope\", expected true or false"],
    );
    variable_refused("PGMEDIC_SEQUENCES__HEADROOM", "1e5", &["found \"1e5\", expected a whole number"]);
    variable_refused("PGMEDIC_SEQUENCES__HEADROOM", "", &["found \"\", expected a whole number"]);
    variable_refused("PGMEDIC_SEQUENCES__HEADROOM", "-1", &["from 0 to 4294967295"]);
    variable_refused("PGMEDIC_SEQUENCES__HEADROOM", "4294967297", &["from 0 to 4294967295"]);
    variable_refused("PGMEDIC_SEQUENCES__MAX_REPAIR_RATIO", "NaN", &["expected a number"]);
    variable_refused("PGMEDIC_SEQUENCES__LOCK_TIMEOUT", "0ms", &["sequences.lock_timeout: found \"0ms\""]);
    variable_refused("PGMEDIC_SEQUENCES__INCLUDE", "a.*,b", &["sequences.include[1]: found \"b\""]);
    variable_refused("PGMEDIC_SEQUENCES__SCHEDULE", "* * * * *", &["\"0 * * * * *\""]);
}

#[test]
fn a_variable_that_overrides_a_good_file_is_the_one_to_blame() {
    let error = file("[sequences]\nheadroom = 5").variable("PGMEDIC_SEQUENCES__HEADROOM", "-5").error();
    assert_says(&error, &["PGMEDIC_SEQUENCES__HEADROOM: sequences.headroom: found the number -5"]);
}

#[test]
fn an_unknown_variable_is_named_with_the_nearest_known_one() {
    variable_refused(
        "PGMEDIC_SEQUENCES__REPIAR",
        "false",
        &["unknown variable", "did you mean PGMEDIC_SEQUENCES__REPAIR?"],
    );
    variable_refused("PGMEDIC_SEQUENCES_REPAIR", "false", &["PGMEDIC_SEQUENCES__REPAIR?"]);
    variable_refused("PGMEDIC_DATABASE_ULR", "x", &["PGMEDIC_DATABASE_URL?"]);
    variable_refused("PGMEDIC_X", "x", &["expected one of PGMEDIC_HTTP__ALLOWED_HOSTS, PGMEDIC_HTTP__LISTEN"]);
}

#[test]
fn lists_of_tables_belong_in_the_file() {
    variable_refused("PGMEDIC_DATABASES__0__URL", "x", &["[[databases]] tables can only be written in the"]);
    variable_refused("PGMEDIC_SEQUENCES__FEEDS", "x", &["[[sequences.feeds]]"]);
}

#[test]
#[cfg(unix)]
fn a_variable_that_is_not_utf8_is_named() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    for name in ["PGMEDIC_LOG__LEVEL", "DATABASE_URL"] {
        let environment = [(name, OsString::from_vec(vec![0xff]))].into_iter().collect();
        let error = Settings::load(None, &environment).unwrap_err().to_string();
        assert_says(&error, &[name, "not UTF-8"]);
    }
}

#[test]
fn a_file_that_is_not_utf8_is_named() {
    let scene = file("");
    fs::write(scene.path("pgmedic.toml"), [0xff, 0xfe]).unwrap();
    assert_says(&scene.error(), &["pgmedic.toml: cannot be read", "UTF-8"]);
}
