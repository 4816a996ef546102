use secrecy::ExposeSecret;

use super::*;

/// The name of the only database, and the database its connection reaches.
fn only(scene: &Scene) -> (String, String) {
    let settings = scene.settings();
    assert_eq!(settings.databases.len(), 1);
    let database = &settings.databases[0];
    let options = database.connect_options().unwrap();
    (database.name.to_string(), options.first().get_database().unwrap_or_default().to_owned())
}

fn pair(name: &str, database: &str) -> (String, String) {
    (name.to_owned(), database.to_owned())
}

#[test]
fn the_databases_of_the_file_make_the_variables_moot() {
    let scene = file("[[databases]]\nname = \"main\"\nurl = \"postgres://u@localhost/shop\"")
        .variable("PGMEDIC_DATABASE_URL", "not even a url");
    assert_eq!(only(&scene), pair("main", "shop"));
}

#[test]
fn a_database_is_named_after_the_one_in_its_url() {
    assert_eq!(only(&file("[[databases]]\nurl = \"postgres://u@h/shop\"")), pair("shop", "shop"));
    assert_eq!(only(&file("[[databases]]\nurl = \"postgres://u@h/?dbname=shop\"")), pair("shop", "shop"));
}

#[test]
fn a_url_without_a_database_names_the_user_as_libpq_does() {
    let expected = std::env::var("PGDATABASE").unwrap_or("alice".to_owned());
    let settings = bare().variable("DATABASE_URL", "postgres://alice@h").settings();
    assert_eq!(settings.databases[0].name.as_str(), expected);
}

#[test]
fn our_own_variables_win_over_the_common_ones() {
    let ours = "postgres://u@localhost/ours";
    let scene = bare()
        .variable("DATABASE_URL", "postgres://u@localhost/theirs")
        .variable("DATABASE_URL_FILE", "/no/such/file")
        .variable("PGMEDIC_DATABASE_URL", ours);
    assert_eq!(only(&scene), pair("ours", "ours"));
    let scene = bare().variable("DATABASE_URL", "postgres://u@h/theirs").beside("url", ours);
    let path = scene.path("url");
    let scene = scene.variable("PGMEDIC_DATABASE_URL_FILE", path.to_str().unwrap());
    assert_eq!(only(&scene), pair("ours", "ours"));
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let scene = bare()
        .variable("PGMEDIC_DATABASE_URL", "")
        .variable("DATABASE_URL_FILE", "")
        .variable("DATABASE_URL", "postgres://u@localhost/app");
    assert_eq!(only(&scene), pair("app", "app"));
    let error = bare().variable("DATABASE_URL", "").error();
    assert_says(&error, &["no database is named", "set but empty: DATABASE_URL"]);
}

#[test]
fn two_variables_of_the_same_rank_contradict_each_other() {
    for rank in ["PGMEDIC_DATABASE_URL", "DATABASE_URL"] {
        let error = bare()
            .variable(rank, "postgres://u@localhost/app")
            .variable(&format!("{rank}_FILE"), "/run/secrets/url")
            .error();
        assert_says(&error, &[rank, &format!("{rank}_FILE set as well"), "only one of the two"]);
    }
}

#[test]
fn without_any_database_the_three_ways_to_name_one_are_told() {
    for scene in [bare(), Scene { file: true, ..bare() }.beside("pgmedic.toml", "databases = []")] {
        assert_says(&scene.error(), &["[[databases]]", "DATABASE_URL", "DATABASE_URL_FILE", "PGMEDIC_DATABASE_URL"]);
    }
}

#[test]
fn a_url_file_is_found_beside_the_configuration_and_loses_its_newline() {
    let scene = file("[[databases]]\nurl_file = \"app.url\"").beside("app.url", "postgres://u@localhost/shop\r\n");
    assert_eq!(only(&scene), pair("shop", "shop"));
}

#[test]
fn a_url_file_is_read_again_by_each_call() {
    let scene = file("[[databases]]\nurl_file = \"app.url\"").beside("app.url", "postgres://u@h/a\n");
    let database = &scene.settings().databases[0];
    assert_eq!(database.connect_options().unwrap().first().get_database(), Some("a"));
    let scene = scene.beside("app.url", "postgres://u@h/b\n");
    assert_eq!(database.connect_options().unwrap().first().get_database(), Some("b"));
    fs::remove_file(scene.path("app.url")).unwrap();
    let error = database.connect_options().unwrap_err().to_string();
    assert_says(&error, &["database \"a\"", "app.url: cannot be read: No such file"]);
}

#[test]
fn an_unreadable_or_empty_url_file_is_named_with_the_cause() {
    let configured = || file("[[databases]]\nurl_file = \"app.url\"");
    let error = configured().error();
    assert_says(&error, &["pgmedic.toml:2:12: databases[0].url_file: app.url: cannot be read: No such file"]);
    let error = configured().beside("app.url", "\n").error();
    assert_says(&error, &["app.url: found an empty file, expected a connection URL"]);
    let scene = configured();
    fs::create_dir(scene.path("app.url")).unwrap();
    assert_says(&scene.error(), &["app.url: cannot be read: Is a directory"]);
    let error = bare().variable("DATABASE_URL_FILE", "/no/such/url").error();
    assert_says(&error, &["DATABASE_URL_FILE: /no/such/url: cannot be read: No such file"]);
}

#[test]
fn a_database_has_exactly_one_source() {
    let error = file("[[databases]]\nname = \"a\"\nurl = \"postgres://u@h/a\"\nurl_file = \"x\"").error();
    assert_says(&error, &["pgmedic.toml:1:1: databases[0]: found both, expected exactly one of `url` and `url_file`"]);
    let error = file("[[databases]]\nname = \"a\"").error();
    assert_says(&error, &["databases[0]: found neither"]);
}

#[test]
fn two_databases_of_one_name_are_refused_even_if_one_name_is_a_default() {
    let error =
        file("[[databases]]\nurl = \"postgres://u@a/app\"\n[[databases]]\nname = \"app\"\nurl = \"postgres://u@b/x\"")
            .error();
    assert_says(&error, &["pgmedic.toml:4:8: databases[1].name: found \"app\", the name of databases[0] too"]);
}

#[test]
fn an_empty_name_is_refused() {
    let error = file("[[databases]]\nname = \" \"\nurl = \"postgres://u@h/a\"").error();
    assert_says(&error, &["databases[0].name: found \" \", expected a short label"]);
}

#[test]
fn only_the_databases_asked_for_are_kept_in_their_order() {
    let three = file("[[databases]]\nurl = \"postgres://u@h/a\"\n[[databases]]\nurl = \"postgres://u@h/b\"\n[[databases]]\nurl = \"postgres://u@h/c\"").settings();
    let kept = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let settings = three.clone().select_databases(&names)?;
        Ok::<_, ConfigError>(
            settings.databases.into_iter().map(|database| database.name.to_string()).collect::<String>(),
        )
    };
    assert_eq!(kept(&[]).unwrap(), "abc");
    assert_eq!(kept(&["c", "a"]).unwrap(), "ac");
    let error = kept(&["a", "x"]).unwrap_err().to_string();
    assert_says(&error, &["--database", "\"x\"", "a, b, c"]);
}

#[test]
fn a_secret_is_taken_as_it_is_written() {
    let settings = bare().variable("DATABASE_URL", "postgres://u:007@h/1e5").settings();
    assert_eq!(settings.databases[0].name, "1e5");
    let UrlSource::Inline(url) = &settings.databases[0].source else {
        panic!("expected an inline URL");
    };
    assert_eq!(url.expose_secret(), "postgres://u:007@h/1e5");
}

#[test]
fn a_database_whose_name_can_be_no_label_needs_another() {
    for name in ["a%0Ab", "%1b[31m", "%20", "a%3A%2F%2Fb"] {
        let url = format!("postgres://u@h/{name}");
        let error = bare().variable("DATABASE_URL", &url).error();
        assert_says(&error, &["DATABASE_URL: found a database whose name", "expected a `name` for it"]);
        let error = file(&format!("[[databases]]\nurl = '{url}'")).error();
        assert_says(&error, &["pgmedic.toml:2:7: databases[0].url: found a database whose name"]);
        let named = file(&format!("[[databases]]\nname = 'app'\nurl = '{url}'")).settings();
        assert_eq!(named.databases[0].name, "app");
    }
}

#[test]
fn a_path_with_control_characters_is_none() {
    let error = file("[[databases]]\nurl_file = \"a\\u001b[2J\"").error();
    assert_says(&error, &["databases[0].url_file: found no path"]);
}

#[test]
fn an_unused_variable_that_names_a_database_is_reported_with_the_file_that_overrides_it() {
    let scene = file("[[databases]]\nurl = 'postgres://u@h/app'");
    let path = scene.path("pgmedic.toml").display().to_string();
    let warning = scene.settings().warnings.remove(0);
    assert_eq!(
        warning,
        format!(
            "DATABASE_URL: set, but not used, because {path} names the databases; to use it, \
             leave out --config and unset PGMEDIC_CONFIG"
        )
    );
    let both = scene.variable("PGMEDIC_DATABASE_URL_FILE", "/run/secrets/url").settings().warnings.remove(0);
    assert!(both.starts_with("PGMEDIC_DATABASE_URL_FILE, DATABASE_URL: set, but not used"), "{both}");
}

#[test]
fn of_two_variables_the_unused_one_is_reported() {
    let scene = bare().variable("DATABASE_URL", "postgres://u:hunter2@h/a");
    let warning = scene.variable("PGMEDIC_DATABASE_URL", "postgres://u:hunter2@h/b").settings().warnings.remove(0);
    let expected = "DATABASE_URL: set, but not used, because PGMEDIC_DATABASE_URL is set too; to use it, unset \
                    PGMEDIC_DATABASE_URL";
    assert_eq!(warning, expected);
}

#[test]
fn a_variable_that_is_used_or_empty_is_no_cause_to_warn() {
    assert_eq!(file("[sequences]\nheadroom = 1").settings().warnings, Vec::<String>::new());
    let written = bare().beside("pgmedic.toml", "[[databases]]\nurl = 'postgres://u@h/app'");
    let written = Scene { file: true, ..written };
    assert_eq!(written.variable("DATABASE_URL", "").settings().warnings, Vec::<String>::new());
}

#[test]
fn several_hosts_of_which_none_is_wanted_more_than_the_others_are_a_cause_to_warn() {
    let warnings = |url: &str| file(&format!("[[databases]]\nurl = '{url}'")).settings().warnings.split_off(1);
    let warning = warnings("postgres://u@one,two/app").remove(0);
    assert_eq!(
        warning,
        "app: its connection string names several hosts, and the first that answers is taken, after a failover perhaps a \
         replica, where nothing is repaired; add target_session_attrs=read-write to it"
    );
    for decided in ["postgres://u@one/app", "postgres://u@one,two/app?target_session_attrs=any"] {
        assert_eq!(warnings(decided), Vec::<String>::new(), "{decided}");
    }
}

#[test]
fn an_approval_names_its_database_where_there_are_several() {
    let two = file("[[databases]]\nname = \"app\"\nurl = \"postgres:///app\"\n[[databases]]\nname = \"shop\"\nurl = \"postgres:///shop\"\n").settings();
    let approvals = ["logins".to_owned()];
    let error = two.check_approvals(&approvals, &[]).unwrap_err().to_string();
    assert_eq!(
        error,
        "--approve \"logins\" would apply to every database that is configured: add --database NAME, once for each that it is meant for"
    );
    let selected = ["app".to_owned()];
    assert!(two.check_approvals(&approvals, &selected).is_ok());
    assert!(two.check_approvals(&[], &[]).is_ok());
    assert!(two.select_databases(&selected).unwrap().check_approvals(&approvals, &[]).is_ok());
}
