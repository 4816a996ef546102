//! The secret is `hunter2` in all tests: no error, `Debug` or redacted output may contain it.

use super::*;

const URL: &str = "postgres://u:hunter2@h/d";

#[track_caller]
fn keeps_silent(scene: &Scene) {
    let error = scene.load().unwrap_err();
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn no_error_about_a_file_repeats_a_secret() {
    let cases = [
        format!("[[databases]]\nulr = \"{URL}\""),
        format!("databases = \"{URL}\""),
        format!("databases = [\"{URL}\"]"),
        format!("sequences = \"{URL}\""),
        format!("url = \"{URL}\""),
        format!("[[databases]]\nurl = \"{URL}"),
        format!("[[databases]]\nurl = {URL}"),
        format!("[[databases]]\nurl = \"{URL}\" x"),
        format!("[[databases]]\nurl = [\"{URL}\"]"),
        format!("[[databases]]\nurl = {{ value = \"{URL}\" }}"),
        format!("[[databases]]\nname = \"{URL}\"\nurl = \"postgres://u@h/d\""),
        format!("[[databases]]\nurl_file = \"{URL}\"\nurl = \"{URL}\""),
        format!("[[databases]]\nurl_file = \"{URL}\""),
        format!("[[databases]]\n\"{URL}\" = 1"),
        format!("\"{URL}\" = 1"),
        format!("[\"{URL}\"]"),
        format!("[sequences]\nschedule = \"{URL}\""),
        format!("[sequences]\nschedule = \"{URL} a b c d\""),
        format!("[sequences]\nrepair = \"{URL}\""),
        format!("[sequences]\nlock_timeout = \"{URL}\""),
        format!("[sequences]\ninclude = [\"{URL}\"]"),
        format!("[sequences]\ninclude = \"{URL}\""),
        format!("[[sequences.feeds]]\nsequence = \"{URL}\"\ncolumn = \"a.b.c\""),
        format!("[log]\nlevel = \"{URL}\""),
        "[log]\nlevel = \"u:hunter2@h\"".to_owned(),
        "[[databases]]\nurl = \"host=h password=hunter2 port=x\"".to_owned(),
        "[log]\nlevel = \"host=h password=hunter2\"".to_owned(),
    ];
    for case in cases {
        keeps_silent(&file(&case));
    }
}

#[test]
fn a_number_under_url_is_not_repeated() {
    let error = file("[[databases]]\nurl = 8675309").error();
    assert_says(&error, &["databases[0].url: found a number, expected a connection URL"]);
}

#[test]
fn no_error_about_a_variable_repeats_a_secret() {
    for name in [
        "PGMEDIC_SEQUENCES__REPAIR",
        "PGMEDIC_SEQUENCES__HEADROOM",
        "PGMEDIC_SEQUENCES__INCLUDE",
        "PGMEDIC_SEQUENCES__SCHEDULE",
        "PGMEDIC_LOG__LEVEL",
        "PGMEDIC_DATABASE_ULR",
        "PGMEDIC_DATABASES__0__URL",
        "PGMEDIC_DATABASE_URL_FILE",
    ] {
        keeps_silent(&variable(name, URL));
    }
}

#[test]
fn no_error_about_a_malformed_url_repeats_any_of_it() {
    for url in [
        "hunter2",
        "mysql://u:hunter2@h/d",
        "postgres://u:hunter2@h:port/d",
        "postgres://u:hunter2@h:99999/d",
        "postgres://u:hunter2@h:0/d",
        "postgres://u:/hunter2@h/d",
        "postgres://u:12/hunter2@h/d",
        "postgres://u:12?hunter2@h:port/d",
        "postgres://u:hun ter2hunter2@h/d",
        "postgres://u:hunter2@/d",
        "postgres://u:hunter2@h1:1,h2:x/d",
        "postgres://u:hunter2@h/d?sslmode=hunter2",
        "postgres://u@h/d?pasword=hunter2",
        "postgres://u:hunter2@h/%ff",
        "host=h password=hunter2 dbname",
        "host=h password='hunter2",
        "host=a,b port=1,2,3 password=hunter2",
    ] {
        keeps_silent(&bare().variable("DATABASE_URL", url));
        keeps_silent(&file(&format!("[[databases]]\nurl = '{url}'")));
        keeps_silent(&file("[[databases]]\nurl_file = \"u\"").beside("u", url));
    }
}

#[test]
fn an_unknown_name_after_database_is_not_repeated_when_it_is_a_url() {
    let settings = variable("PGMEDIC_CONFIG", "").settings();
    let error = settings.select_databases(&[URL.to_owned()]).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn a_url_is_no_label_for_anything() {
    let store = "table = 's.t'\nexpires_at = 'e'\nencoding = 'timestamptz'";
    keeps_silent(&file(&format!("[[sessions]]\nname = \"{URL}\"\n{store}")));
    keeps_silent(&bare().variable("DATABASE_URL", "postgres://u@h/postgres%3A%2F%2Fu%3Ahunter2%40h"));
}

#[test]
fn a_url_in_place_of_the_configuration_file_is_not_repeated() {
    let error = Settings::load(Some(std::path::Path::new(URL)), &Environment::default()).unwrap_err();
    assert_says(&error.to_string(), &["expected the path of a configuration file"]);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[test]
fn names_with_an_at_sign_or_the_word_secret_are_good_labels_and_paths() {
    let scene = file("[[databases]]\nname = 'secrets@eu'\nurl_file = 'secret@1.url'")
        .beside("secret@1.url", "postgres://u@h/d");
    assert_eq!(scene.settings().databases[0].name, "secrets@eu");
}

#[test]
fn debug_shows_no_secret() {
    let settings = bare().variable("DATABASE_URL", URL).settings();
    assert!(!format!("{settings:?} {settings:#?}").contains("hunter2"));
}

#[test]
fn the_redacted_configuration_holds_everything_but_the_passwords() {
    let settings = file(
        "[[databases]]\nname = 'a'\nurl = 'postgres://u:hunter2@h:6543/d?sslmode=require&application_name=x%20y'\n\
         [[databases]]\nname = 'b'\nurl = 'postgresql://h/d?user=u&password=hunter2&p%61ssword=hunter2'\n\
         [[databases]]\nname = 'c'\nurl_file = 'c.url'\n\
         [sequences]\nrepair = false\ninclude = ['public.*', 'a.*', '\"a.b\".\"c,d\"']\nexclude = ['x.y']\nheadroom = 5\n\
         max_repair_ratio = 0.25\nlock_timeout = '1s 500ms'\nstatement_timeout = '1day'\nschedule = '0 0 3 * * *'\n\
         [[sequences.feeds]]\nsequence = 'a.\"S\"'\ncolumn = 'a.t.\"i \"\"d\"'\n\
         [log]\nformat = 'json'\nlevel = 'debug'",
    )
    .beside("c.url", "postgres://u:hunter2@h/c");
    let first = settings.settings();
    let redacted = first.redacted_toml();
    assert!(!redacted.contains("hunter2"), "{redacted}");
    assert_says(
        &redacted,
        &[
            "postgres://u:***@h:6543/d?sslmode=require&application_name=x%20y",
            "postgresql://h/d?user=u&password=***&p%61ssword=***",
            "c.url",
        ],
    );
    let again = file(&redacted).settings();
    assert_eq!(again.sequences, first.sequences);
    assert_eq!(again.log, first.log);
    assert_eq!(again.redacted_toml(), redacted);
}
