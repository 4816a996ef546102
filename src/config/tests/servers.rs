use super::*;

const PROD: &str = "[[servers]]\nname = 'prod'\nurl = 'postgres://u@db1,db2/?target_session_attrs=primary'\n";

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    assert_says(&file(text).error(), words);
}

fn server(more: &str) -> Server {
    file(&format!("{PROD}{more}")).settings().servers.remove(0)
}

#[test]
fn a_server_needs_no_database_beside_it_and_is_entered_by_the_one_that_its_url_names() {
    let settings = file(PROD).settings();
    assert!(settings.databases.is_empty());
    let home = &settings.servers[0].home;
    let expected = std::env::var("PGDATABASE").unwrap_or("postgres".to_owned());
    assert_eq!(home.name.as_str(), format!("prod/{expected}"));
    assert_eq!(home.connect_options().unwrap().database_name(), expected);
    let named = file("[[servers]]\nname = 'prod'\nurl = 'postgres://u@h/app'").settings();
    assert_eq!(named.servers[0].home.connect_options().unwrap().database_name(), "app");
}

#[test]
fn a_database_that_was_found_takes_everything_else_from_the_servers_connection_string() {
    let database = server("max_connections = 7").database("we/ird");
    assert_eq!((database.name.as_str(), database.name.server()), ("prod/we/ird", Some("prod")));
    let target = database.connect_options().unwrap();
    assert_eq!((target.database_name(), target.candidates.len()), ("we/ird", 2));
    assert_eq!((target.first().get_username(), database.max_connections()), ("u", 7));
}

#[test]
fn patterns_say_which_databases_are_monitored() {
    let all = server("");
    assert!(all.covers("app") && all.covers("postgres") && !all.covers("rdsadmin"));
    let some = server("include = ['tenant_*', 'app?']\nexclude = ['tenant_old_*']");
    let covered = ["tenant_1", "tenant_old_1", "app1", "app", "Tenant_1"].map(|name| some.covers(name));
    assert_eq!(covered, [true, false, true, false, false]);
}

#[test]
fn a_database_that_has_a_table_is_left_to_that() {
    let own = "[[databases]]\nurl = 'postgres://u@db2,db1/app?target_session_attrs=primary'\n";
    let settings = file(&format!("{own}{PROD}")).settings();
    assert!(!settings.servers[0].covers("app") && settings.servers[0].covers("crm"));
    let elsewhere = "[[databases]]\nurl = 'postgres://u@db3/app'\n";
    assert!(file(&format!("{elsewhere}{PROD}")).settings().servers[0].covers("app"));
}

#[test]
fn a_server_that_leaves_out_every_database_is_refused() {
    refused(&format!("{PROD}include = []"), &["pgmedic.toml:4:11: servers[0].include: found an empty list"]);
    refused(
        &format!("{PROD}exclude = ['a', '*']"),
        &["servers[0].exclude[1]: found \"*\"", "leaves out every database"],
    );
    refused(
        &format!("{PROD}include = [' ']"),
        &["servers[0].include[0]: found \" \", expected the name of a database"],
    );
}

#[test]
fn two_servers_that_are_one_are_refused() {
    let again = "[[servers]]\nname = 'again'\nurl = 'postgres://u@db2,db1/app?target_session_attrs=primary'\n";
    refused(&format!("{PROD}{again}"), &["pgmedic.toml:6:7: servers[1].url: found the server of servers[0] again"]);
    let standby = again.replace("primary", "standby");
    assert_eq!(file(&format!("{PROD}{standby}")).settings().servers.len(), 2);
}

#[test]
fn one_connection_is_too_few() {
    refused(
        &format!("{PROD}max_connections = 1"),
        &["servers[0].max_connections: found the number 1, expected a whole number from 2"],
    );
}

#[test]
fn a_server_has_a_name_that_no_database_begins_with() {
    refused("[[servers]]\nurl = 'postgres://u@h/'", &["servers[0]: found no `name`"]);
    refused(
        "[[servers]]\nname = 'a/b'\nurl = 'postgres://u@h/'",
        &["servers[0].name: found \"a/b\"", "without a slash"],
    );
    let twice = PROD.replace("db1,db2", "db3");
    refused(&format!("{PROD}{twice}"), &["servers[1].name: found \"prod\", the name of servers[0] too"]);
    for name in ["prod", "prod/app"] {
        let database = format!("[[databases]]\nname = '{name}'\nurl = 'postgres://u@h/app'\n");
        refused(&format!("{database}{PROD}"), &["servers[0].name: found \"prod\", which databases[0] begins with"]);
    }
}

#[test]
fn a_feed_or_a_store_may_be_a_servers_or_one_databases() {
    let feed = |database: &str| {
        format!("{PROD}[[sequences.feeds]]\nsequence = 'public.s'\ncolumn = 'public.t.id'\ndatabase = '{database}'")
    };
    let app = server("").database("app").name;
    for (database, expected) in [("prod", 1), ("prod/app", 1), ("prod/crm", 0)] {
        let settings = file(&feed(database)).settings();
        assert_eq!(settings.sequences.feeds_in(&app).count(), expected, "{database}");
    }
    refused(&feed("app"), &["sequences.feeds[0].database: found \"app\"", "prod, prod/…"]);
}

#[test]
fn the_names_asked_for_may_be_a_servers_or_its_databases() {
    let own = "[[databases]]\nurl = 'postgres://u@db3/app'\n";
    let other = "[[servers]]\nname = 'stage'\nurl = 'postgres://u@db4/'\n";
    let settings = file(&format!("{own}{PROD}{other}")).settings();
    let asked = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let settings = settings.clone().select_databases(&names).unwrap();
        let covers = |name: &str| {
            let servers = settings.servers.iter().filter(|server| server.covers(name));
            servers.map(|server| server.name.as_str()).collect::<Vec<_>>().join(" ")
        };
        (settings.databases.len(), covers("crm"), covers("shop"))
    };
    let words = |own: usize, crm: &str, shop: &str| (own, crm.to_owned(), shop.to_owned());
    assert_eq!(asked(&[]), words(1, "prod stage", "prod stage"));
    assert_eq!(asked(&["app"]), words(1, "", ""));
    assert_eq!(asked(&["prod"]), words(0, "prod", "prod"));
    assert_eq!(asked(&["prod/crm", "app"]), words(1, "prod", ""));
    assert_eq!(asked(&["crm"]), words(0, "prod stage", ""));
    assert_eq!(asked(&["crm", "stage"]), words(0, "prod stage", "stage"));
}

#[test]
fn the_configuration_as_it_is_shown_has_the_servers_without_their_passwords() {
    let text = "[[servers]]\nname = 'prod'\nurl = 'postgres://u:secret@h/app'\nexclude = ['a*']\nmax_connections = 9\n";
    let shown = file(text).settings().redacted_toml();
    assert!(!shown.contains("secret"), "{shown}");
    let again = file(&shown).settings();
    assert!(!again.servers[0].covers("abc") && again.servers[0].covers("b"));
    assert_eq!(again.servers[0].home.max_connections(), 9);
}
