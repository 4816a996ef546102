use super::*;

fn parsed(url: &str) -> PgConnectOptions {
    parse(&url.into()).unwrap()
}

fn refused(url: &str) -> UrlError {
    parse(&url.into()).map(drop).unwrap_err()
}

#[test]
fn a_full_url_is_read_and_decoded() {
    let options = parsed("postgresql://al%69ce:p%40ss@db.internal:6543/my%20db?sslmode=verify-full&options[geqo]=off");
    assert_eq!(options.get_username(), "alice");
    assert_eq!(options.get_host(), "db.internal");
    assert_eq!(options.get_port(), 6543);
    assert_eq!(options.get_database(), Some("my db"));
    assert!(matches!(options.get_ssl_mode(), PgSslMode::VerifyFull));
}

#[test]
fn a_socket_is_named_as_a_parameter() {
    let options = parsed("postgres:///app?host=/run/postgresql&user=u&port=5433");
    assert_eq!(options.get_socket().unwrap().to_str(), Some("/run/postgresql"));
    assert_eq!((options.get_port(), options.get_database()), (5433, Some("app")));
}

#[test]
fn the_application_is_called_pgmedic_unless_the_url_says_otherwise() {
    let default = std::env::var("PGAPPNAME").unwrap_or("pgmedic".to_owned());
    assert_eq!(parsed("postgres://u@h/d").get_application_name(), Some(default.as_str()));
    let given = parsed("postgres://u@h/d?application_name=night%20watch");
    assert_eq!(given.get_application_name(), Some("night watch"));
}

#[test]
fn extra_float_digits_is_not_sent() {
    assert!(format!("{:?}", parsed("postgres://u@h/d")).contains("extra_float_digits: None"));
}

#[test]
fn other_schemes_and_connection_strings_are_refused() {
    for url in ["mysql://u@h/d", "postgres:d", "host=h dbname=d", "", "POSTGRES://u@h/d", " postgres://u@h/d"] {
        assert_eq!(refused(url), UrlError::Scheme, "{url}");
    }
}

#[test]
fn what_the_url_parser_would_drop_silently_is_refused() {
    for url in ["postgres://u:a\tb@h/d", "postgres://u:a\nb@h/d", "postgres://u@h/d ", "postgres://u@h/d\nx"] {
        assert_eq!(refused(url), UrlError::Whitespace, "{url:?}");
    }
}

#[test]
fn a_zero_byte_is_refused_wherever_it_stands() {
    for url in ["postgres://u%00@h/d", "postgres://u:p%00@h/d", "postgres://u@h/d%00", "postgres://u@h/d?user=u%00x"] {
        assert_eq!(refused(url), UrlError::Nul, "{url}");
    }
    assert_eq!(parsed("postgres://u@h/%2500").get_database(), Some("%00"));
}

#[test]
fn an_unencoded_password_that_spills_over_is_refused() {
    assert_eq!(refused("postgres://u:se/cret@h/d"), UrlError::Port);
    assert_eq!(refused("postgres://u:12/secret@h/d"), UrlError::Stray);
    assert_eq!(refused("postgres://u:12#secret@h/d"), UrlError::Stray);
    let spilled = refused("postgres://u:12?secret@h/d");
    assert_eq!(spilled, UrlError::UnknownParameter("(name not shown)".to_owned()));
}

#[test]
fn ports_hosts_and_parameters_are_checked() {
    assert_eq!(refused("postgres://u@h:0/d"), UrlError::Port);
    assert_eq!(refused("postgres://u@h:99999/d"), UrlError::Port);
    assert_eq!(refused("postgres://u@a,b/d"), UrlError::SeveralHosts);
    assert_eq!(refused("postgres://u:p@/d"), UrlError::EmptyHost);
    assert_eq!(refused("postgres://u@h/%ff"), UrlError::NotUtf8);
    for parameter in ["sslmode=verify_full", "port=x", "port=0", "hostaddr=localhost"] {
        let url = format!("postgres://u@h/d?{parameter}");
        assert!(matches!(refused(&url), UrlError::Parameter(..)), "{url}");
    }
}

#[test]
fn a_parameter_that_would_be_ignored_is_refused_by_name() {
    let error = refused("postgres://u@h/d?sslmod=verify-full");
    assert_eq!(error, UrlError::UnknownParameter("`sslmod`".to_owned()));
    assert!(error.to_string().contains("sslmode"));
}

#[test]
fn redaction_hides_every_password_and_nothing_else() {
    let redacted = |url: &str| redact(&url.into());
    assert_eq!(redacted("postgres://u:p@h:1/d?sslmode=require"), "postgres://u:***@h:1/d?sslmode=require");
    assert_eq!(redacted("postgres:///d?user=u&password=p"), "postgres:///d?user=u&password=***");
    assert_eq!(redacted("postgres:///d?p%61ssword=p&user=u"), "postgres:///d?password=***&user=u");
    assert_eq!(redacted("postgres://u@h/d"), "postgres://u@h/d");
    assert_eq!(redacted("not a url with a secret"), "***");
}

#[test]
fn what_was_redacted_can_be_read_again() {
    let url = redact(&"postgres://u:p@h/d?password=x&sslmode=require".into());
    assert_eq!(parsed(&url).get_database(), Some("d"));
}
