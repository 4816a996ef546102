use super::*;
use sqlx::postgres::PgSslMode;
use std::time::Duration;

/// No variable is set.
fn read_alone(text: &str) -> Result<ConnectTarget, ConninfoError> {
    parse(&text.into(), &|_| None)
}

fn target(text: &str) -> ConnectTarget {
    read_alone(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn refused(text: &str) -> ConninfoError {
    read_alone(text).map(drop).unwrap_err()
}

/// Host or socket, and port, of each address.
fn addresses(text: &str) -> Vec<(String, u16)> {
    let shown = |candidate: &Candidate| {
        let options = &candidate.options;
        let place = options.get_socket().map_or(options.get_host().to_owned(), |socket| socket.display().to_string());
        (place, options.get_port())
    };
    target(text).candidates.iter().map(shown).collect()
}

#[test]
fn a_full_url_is_read_and_decoded() {
    let target = target("postgresql://al%69ce:p%40ss@db.internal:6543/my%20db?sslmode=verify-full&options[geqo]=off");
    let options = target.first();
    assert_eq!((options.get_username(), options.get_host(), options.get_port()), ("alice", "db.internal", 6543));
    assert_eq!(options.get_database(), Some("my db"));
    assert_eq!(options.get_options(), Some("-c geqo=off"));
    assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
}

#[test]
fn keywords_and_values_say_the_same_as_a_url() {
    let target = target(r"host = db.internal  port=6543 user='al ice' dbname = 'it\'s' connect_timeout=7");
    let options = target.first();
    assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("db.internal", 6543, "al ice"));
    assert_eq!((options.get_database(), target.timeout), (Some("it's"), Duration::from_secs(7)));
    assert_eq!(refused("host=h dbname='d"), ConninfoError::Quote);
    assert_eq!(refused("host=h dbname"), ConninfoError::NoValue);
}

#[test]
fn each_host_has_its_port_or_all_have_one() {
    let pair = |host: &str, port| (host.to_owned(), port);
    assert_eq!(addresses("postgres://u@a:1,b:2/d"), [pair("a", 1), pair("b", 2)]);
    assert_eq!(addresses("postgres://u@a,b:2/d"), [pair("a", 5432), pair("b", 2)]);
    assert_eq!(addresses("host=a,b port=5 user=u"), [pair("a", 5), pair("b", 5)]);
    assert_eq!(addresses("host=a,/run user=u"), [pair("a", 5432), pair("/run", 5432)]);
    assert_eq!(refused("host=a,b,c port=1,2"), ConninfoError::Count { hosts: 3, others: 2, what: "ports" });
    assert_eq!(refused("host=a,b hostaddr=127.0.0.1"), ConninfoError::Count { hosts: 2, others: 1, what: "addresses" });
}

#[test]
fn sockets_and_ipv6_addresses_are_found_in_every_form() {
    let pair = |host: &str, port| vec![(host.to_owned(), port)];
    assert_eq!(addresses("postgres:///app?host=/run/postgresql&user=u&port=5433"), pair("/run/postgresql", 5433));
    assert_eq!(addresses("postgres://u@%2Frun%2Fpg:5433/app"), pair("/run/pg", 5433));
    assert_eq!(
        addresses("postgres://u:p@/d?host=/cloudsql/project:region:name"),
        pair("/cloudsql/project:region:name", 5432)
    );
    assert_eq!(addresses("postgres://u@[::1]:5433/app"), pair("::1", 5433));
    assert_eq!(addresses("postgres://u@[fe80::1%25eth0]/app"), pair("fe80::1%eth0", 5432));
    assert_eq!(addresses("host=::1 user=u"), pair("::1", 5432));
}

#[test]
fn white_space_around_it_does_not_count_and_inside_a_url_it_is_refused() {
    assert_eq!(target(" postgres://u@h/d\n").first().get_database(), Some("d"));
    for url in ["postgres://u:a\tb@h/d", "postgres://u:a\nb@h/d", "postgres://u:a b@h/d"] {
        assert_eq!(refused(url), ConninfoError::Whitespace, "{url:?}");
    }
}

#[test]
fn what_frameworks_and_providers_write_is_taken_with_one_warning_that_names_it() {
    for (url, ignored) in [
        ("postgresql+psycopg2://u@h/d", ""),
        ("postgresql+asyncpg://u@h/d?ssl=require", ""),
        ("postgis://u@h/d", ""),
        ("jdbc:postgresql://h:5432/d?user=u&ssl=true&currentSchema=x", "currentSchema"),
        ("postgres://u@h/d?schema=public&pgbouncer=true&connection_limit=1", "schema pgbouncer connection_limit"),
        ("postgres://u@h/d?pool=5&prepared_statements=false", "pool prepared_statements"),
        ("postgres://u@h/d?pool_max_conns=10", "pool_max_conns"),
        ("postgres://u@h/d?keepalives=1&keepalives_idle=30", "keepalives keepalives_idle"),
        ("postgres://u@h/d?gssencmode=disable&client_encoding=UTF8&channel_binding=prefer", ""),
        ("postgres://u@h/d?connect_timeout=10&target_session_attrs=read-write&load_balance_hosts=random", ""),
    ] {
        assert_eq!(target(url).ignored.join(" "), ignored, "{url}");
    }
    let neon = target("postgres://u@h/d?sslmode=require&channel_binding=require").ignored;
    assert!(matches!(neon.as_slice(), [one] if one.contains("sslmode=verify-full")), "{neon:?}");
}

#[test]
fn what_would_weaken_the_connection_or_is_unknown_is_refused_by_name() {
    for (parameter, instead) in [
        ("sslnegotiation=direct", "leave it out"),
        ("sslcrl=/x", "revoked"),
        ("require_auth=scram-sha-256", "verify-full"),
        ("gssencmode=require", "verify-full"),
        ("replication=database", "ordinary connection"),
        ("sslmod=verify-full", "`sslmod` is unknown; remove it"),
        ("sslmode=verify_full", "verify-full"),
        ("port=x", "from 1 to 65535"),
        ("port=0", "from 1 to 65535"),
        ("hostaddr=localhost", "an IP address"),
        ("target_session_attrs=leader", "read-write"),
        ("load_balance_hosts=yes", "random"),
        ("connect_timeout=soon", "seconds"),
    ] {
        let error = refused(&format!("postgres://u@h/d?{parameter}")).to_string();
        assert!(error.contains(instead), "{parameter}: {error}");
    }
}

#[test]
fn require_verifies_where_there_is_a_root_certificate_and_allow_has_a_second_try_with_tls() {
    let mode = |text: &str| format!("{:?}", target(text).first().get_ssl_mode());
    assert_eq!(mode("postgres://u@h/d?sslmode=require"), "Require");
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("r.crt");
    std::fs::write(&root, "").unwrap();
    assert_eq!(mode(&format!("postgres://u@h/d?sslmode=require&sslrootcert={}", root.display())), "VerifyCa");
    assert_eq!(mode("postgres://u@h/d?sslmode=require&sslrootcert=/none/r.crt"), "Require");
    assert_eq!(mode("postgres://u@h/d?sslmode=verify-ca&sslrootcert=/none/r.crt"), "VerifyCa");
    let warning = target("postgres://u@h/d?sslmode=require&sslrootcert=/none/r.crt&sslcert=/none/c").ignored.join(" ");
    assert!(warning.contains("sslrootcert (there is no such file") && warning.contains("sslcert (there"), "{warning}");
    assert_eq!(mode("r2dbcs:postgresql://u@h/d"), "Require");
    assert_eq!(mode("postgres://u@h/d?sslmode=verify-full&ssl=no-verify"), "VerifyFull");
    assert_eq!(mode("Host=h;SSL Mode=VerifyFull"), "VerifyFull");
    assert_eq!(mode("postgres://u@h/d?sslrootcert=system"), "VerifyFull");
    let allowed = target("postgres://u@h/d?sslmode=allow");
    assert!(matches!(allowed.first().get_ssl_mode(), PgSslMode::Disable));
    let with_tls = allowed.candidates[0].with_tls.as_ref().map(|options| format!("{:?}", options.get_ssl_mode()));
    assert_eq!(with_tls.as_deref(), Some("Require"));
}

#[test]
fn a_zero_byte_and_a_broken_percent_sign_are_refused_wherever_they_stand() {
    for url in ["postgres://u%00@h/d", "postgres://u:p%00@h/d", "postgres://u@h/d%00", "postgres://u@h/d?user=u%00x"] {
        assert_eq!(refused(url), ConninfoError::Nul, "{url}");
    }
    assert_eq!(target("postgres://u@h/%2500").first().get_database(), Some("%00"));
    assert_eq!(refused("postgres://u:100%@h/d"), ConninfoError::Percent);
    assert_eq!(refused("postgres://u@h/%ff"), ConninfoError::NotUtf8);
}

#[test]
fn an_unencoded_password_that_spills_over_is_refused_and_not_shown() {
    assert_eq!(refused("postgres://u:se/cret@h/d"), ConninfoError::Stray);
    assert_eq!(refused("postgres://u:12/secret@h/d"), ConninfoError::Stray);
    assert_eq!(refused("postgres://u@h/d?12:secret@h"), ConninfoError::Unknown("(name not shown)".to_owned()));
    assert_eq!(refused("postgres://u:pass@/word@h/d"), ConninfoError::Stray);
    assert_eq!(refused("postgres://u:pass@/word"), ConninfoError::EmptyHost);
    for other in ["mysql://u@h/d", "postgres:d", "POSTGRES://u@h/d", "h"] {
        assert_eq!(refused(other), ConninfoError::Form, "{other}");
    }
}

#[test]
fn no_secret_is_shown() {
    let shown = redact(&"postgres://u:se%20cret@h:1,i/d?application_name=a%20b&p%61ssword=x".into());
    assert_eq!(shown, "postgres://u:***@h:1,i/d?application_name=a%20b&p%61ssword=***");
    assert_eq!(redact(&"host=h password='top secret'".into()), "host=h password=***");
    assert_eq!(redact(&"postgres://u:a?b@h/d".into()), "postgres://u:***@h/d");
    let read = target("postgres://h?user=u&password=a@b");
    assert_eq!((read.first().get_username(), read.first().get_host()), ("u", "h"));
    assert_eq!(redact(&"postgres://h?user=u&password=a:c@b".into()), "postgres://h?user=u&password=***");
    assert_eq!(redact(&"mysql://u:secret@h".into()), "***");
}

#[test]
fn variables_and_a_service_fill_the_gaps() {
    let home = tempfile::tempdir().unwrap();
    let home = home.path();
    std::fs::write(home.join(".pg_service.conf"), "[app]\nhost=from-service\nport=6000\n").unwrap();
    std::fs::write(home.join(".pgpass"), "from-service:6000:shop:u:secret\n").unwrap();
    let environment = |name: &str| match name {
        "HOME" => Some(home.display().to_string()),
        "PGUSER" => Some("u".to_owned()),
        "PGPORT" => Some("7000".to_owned()),
        _ => None,
    };
    let target = parse(&"service=app dbname=shop".into(), &environment).unwrap();
    let options = target.first();
    assert_eq!((options.get_host(), options.get_port(), options.get_username()), ("from-service", 6000, "u"));
    assert!(format!("{options:?}").contains("secret"), "the password file was not read");
    let missing = parse(&"service=other".into(), &environment).unwrap_err().to_string();
    assert!(missing.contains("the service other") && missing.contains(".pg_service.conf"), "{missing}");
}

#[test]
fn the_name_of_an_unknown_parameter_is_shown_up_to_63_letters() {
    let name = |letters: usize| format!("a_setting-of.version_x{}", "x".repeat(letters - 22));
    assert_eq!(refused(&format!("postgres://u@h/d?{}=1", name(63))), ConninfoError::Unknown(format!("`{}`", name(63))));
    let hidden = ConninfoError::Unknown("(name not shown)".to_owned());
    assert_eq!(refused(&format!("postgres://u@h/d?{}=1", name(64))), hidden);
    assert_eq!(refused("postgres://u@h/d?x-a!b=1"), hidden);
}

#[test]
fn settings_of_the_server_that_decide_what_may_be_done_are_passed_on() {
    let read = target("postgres://u@h/d?role=app&default_transaction_read_only=on&options=-c%20geqo%3Doff");
    assert_eq!(read.first().get_options(), Some("-c role=app -c default_transaction_read_only=on -c geqo=off"));
}

#[test]
fn strings_between_semicolons_are_told_from_keywords_and_values() {
    let shown = |text: &str| {
        let target = target(text);
        let options = target.first();
        let (user, host, port) = (options.get_username(), options.get_host(), options.get_port());
        format!("{user} {host} {port} {}", options.get_database().unwrap_or_default())
    };
    assert_eq!(shown("Host=h;Port=6000;Username=u;Password=a'b;Database=d"), "u h 6000 d");
    assert_eq!(shown("host=h;port=6000;user id=u;database=\"a\"\"b\";"), "u h 6000 a\"b");
    assert_eq!(shown("Server=h:6000;Database=d;User Id=u;Password='x;Host=y'"), "u h 6000 d");
    assert_eq!(shown("pgsql:host=h;port=6000;dbname=d;user=u"), "u h 6000 d");
    assert_eq!(shown("host=h port=6000 dbname=d;e user=u password=a;host=b"), "u h 6000 d;e");
    assert_eq!(shown("password=a;port=b host=h user=u dbname=d"), "u h 5432 d");
    assert_eq!(shown("jdbc:postgresql:d?user=u"), "u localhost 5432 d");
    assert_eq!(redact(&"Host=h;Username=u;Password=secret".into()), "host=h user=u password=***");
    assert_eq!(redact(&"jdbc:postgresql:d?user=u&password=secret".into()), "jdbc:postgresql:d?user=u&password=***");
    assert_eq!(refused("Host=h;Port=1;Nonsense=1").to_string(), "its parameter `nonsense` is unknown; remove it");
    let hosts = [("a".to_owned(), 1), ("b".to_owned(), 2)];
    assert_eq!(addresses("Host=a:1,b:2;Username=u"), hosts);
}

#[test]
fn an_empty_host_in_a_url_is_taken_from_another_place_for_it() {
    let pair = |host: &str, port| vec![(host.to_owned(), port)];
    assert_eq!(addresses("postgres://u:p@/d?unix_sock=/cloudsql/a:b:c/.s.PGSQL.5433"), pair("/cloudsql/a:b:c", 5433));
    assert_eq!(addresses("postgres://u:p@/d?hostaddr=127.0.0.1"), pair("127.0.0.1", 5432));
    let host = |name: &str| (name == "PGHOST").then(|| "h".to_owned());
    assert_eq!(parse(&"postgres://u:p@/d".into(), &host).unwrap().first().get_host(), "h");
    assert_eq!(parse(&"postgres://u:p@/d".into(), &|_| None).unwrap_err(), ConninfoError::EmptyHost);
}

#[test]
fn a_variable_that_asks_for_protection_counts_as_its_parameter_does() {
    let with = |variable: &'static str, value: &'static str, text: &str| {
        parse(&text.into(), &|name| (name == variable).then(|| value.to_owned()))
    };
    for (variable, value) in [
        ("PGREQUIREPEER", "postgres"),
        ("PGSSLCRL", "/none.crl"),
        ("PGSSLCRLDIR", "/none"),
        ("PGGSSENCMODE", "require"),
        ("PGSSLMINPROTOCOLVERSION", "TLSv1.3"),
        ("PGSSLNEGOTIATION", "direct"),
        ("PGREQUIREAUTH", "scram-sha-256"),
    ] {
        let error = with(variable, value, "postgres://u@h/d").map(drop).unwrap_err().to_string();
        assert!(error.starts_with(&format!("the variable {variable} asks for")), "{error}");
    }
    let mode = |text: &str| format!("{:?}", with("PGREQUIRESSL", "1", text).unwrap().first().get_ssl_mode());
    assert_eq!(mode("postgres://u@h/d"), "Require");
    assert_eq!(mode("postgres://u@h/d?sslmode=disable"), "Disable");
    assert!(with("PGGSSENCMODE", "require", "postgres://u@h/d?gssencmode=disable").is_ok());
    let ignored = with("PGCHANNELBINDING", "require", "postgres://u@h/d").unwrap().ignored;
    assert!(matches!(ignored.as_slice(), [one] if one.contains("sslmode=verify-full")), "{ignored:?}");
}

#[test]
fn the_password_file_is_searched_by_the_name_of_the_host_also_where_an_address_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("passwords");
    std::fs::write(&file, "db.internal:5432:d:u:secret\n").unwrap();
    let text = format!("host=db.internal hostaddr=127.0.0.1 user=u dbname=d password='' passfile={}", file.display());
    let read = target(&text);
    assert!(format!("{:?}", read.first()).contains("secret"), "the password file was not read");
    assert_eq!((read.first().get_host(), read.ignored.len()), ("127.0.0.1", 0));
    let verified = target(&format!("{text} sslmode=verify-full"));
    assert_eq!(verified.first().get_host(), "db.internal");
    assert!(verified.ignored.join(" ").contains("hostaddr (sslmode=verify-full"), "{:?}", verified.ignored);
}

#[test]
fn no_piece_of_a_password_is_taken_for_anything_else() {
    for (text, host, password) in [
        ("Host=db;Pooling=true;Username=u;Password=secret;Database=d", "db", "secret"),
        ("Server=db;Command Timeout=30;User Id=u;Pwd={a;b}}c=d}", "db", "a;b}c=d"),
        ("postgres://h:5432?user=u&password=a@b", "h", "a@b"),
        ("postgres://u:pw9@db?application_name=x@y", "db", "pw9"),
        ("postgres://u:12?3@db/d", "db", "12?3"),
        ("postgres://u@h/d?Password=secret", "h", "secret"),
        ("host=h Password=secret", "h", "secret"),
    ] {
        let read = target(text);
        assert_eq!(read.first().get_host(), host, "{text}");
        assert!(
            format!("{:?}", read.first()).contains(&format!("password: Some(\"{password}\")")),
            "{text}: {:?}",
            read.first()
        );
        assert!(!redact(&text.into()).contains(password), "{}", redact(&text.into()));
        assert!(has_secret(&text.into()), "{text}");
    }
    assert!(!has_secret(&"pgsql:host=h;dbname=d;user=u".into()));
    let hidden = ConninfoError::Unknown("(name not shown)".to_owned());
    assert_eq!(refused("Host=h;Username=u;Password=a;bc=d"), hidden);
}
